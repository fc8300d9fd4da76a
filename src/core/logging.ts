// Structured logs: JSON lines on stderr (pino). Secrets are redacted by key wherever they appear at the top levels.
import { pino, destination, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const SECRET_KEYS = ['password', 'authorization', 'token', 'secret', 'refresh_token', 'access_token'];

/** A logger that writes JSON lines to stderr. */
export function createLogger(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    },
    destination({ fd: 2, sync: true }),
  );
}

/** A logger that writes nothing: for commands that print, and for tests. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
