// The store: database, migrations, jobs, blobs, journal, audit trail, invalidations.
export { backupStore, type BackupOptions, type BackupReport } from './backup.ts';
export { objectRemovalAllowed } from './backup-hold.ts';
export { openBackup, type BackupFile } from './backup-reader.ts';
export { isRestoreUnfinished, restoreStore, type RestoreReport } from './backup-restore.ts';
export { BUNDLED_CHILD } from './embedded/index.ts';
export { isConnectionError, isUnstorableText, withTransaction } from './database.ts';
export { storeErrors } from './errors.ts';
export { openStore, type StoreOptions } from './open.ts';
export type * from './types.ts';
