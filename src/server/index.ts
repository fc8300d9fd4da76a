// What the server offers to the command line.
export { serverErrors } from './errors.ts';
export { BACKUP_REPORT_HEADER } from './routes/backup.ts';
export { formatAddress, startServer } from './server.ts';
export { keepYoungGenerationSmall } from './heap.ts';
export { readServerFile, type ServerFile } from './server-file.ts';
export { SERVER_ROLES } from './types.ts';
export type { ListenAddress, RunningServer, ServerConfiguration, ServerRole } from './types.ts';
