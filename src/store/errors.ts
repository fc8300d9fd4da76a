// The error catalogue of `store/`: database, lock, migrations, jobs.
import { defineErrors } from '../core/index.ts';

export const storeErrors = defineErrors('store', {
  STORE_LOCKED: {
    status: 503,
    message: 'the data directory {directory} is in use by process {pid}',
    hint: 'One embedded store serves exactly one server. Stop process {pid}, use another --data directory, or set DATABASE_URL to share a PostgreSQL server.',
    exit: 2,
  },
  STORE_LOCK_TIMEOUT: {
    status: 503,
    message:
      'the database process {pid} of an earlier server still holds {directory} after {seconds} seconds',
    hint: 'It leaves when its running statement ends. Wait and start again, or end process {pid}.',
    exit: 3,
  },
  STORE_EMBEDDED_FAILED: {
    status: 503,
    message: 'the embedded database did not start: {reason}',
    hint: 'Look at the log lines before this one; check free disk space and that the data directory belongs to this user. DATABASE_URL switches to a PostgreSQL server.',
    exit: 3,
  },
  STORE_NOT_DURABLE: {
    status: 503,
    message: 'the embedded database does not reach fsync, so a power cut could lose what was acknowledged',
    hint: 'The installed @electric-sql/pglite differs from the pinned version. Reinstall with `npm ci`, or set DATABASE_URL.',
    exit: 3,
  },
  STORE_DATABASE_UNREACHABLE: {
    status: 503,
    message: 'the database does not answer: {reason}',
    hint: 'Check DATABASE_URL, that PostgreSQL runs, and that this machine may connect to it.',
    exit: 3,
  },
  STORE_DATABASE_TOO_OLD: {
    status: 503,
    message: 'PostgreSQL {version} is too old',
    hint: 'Use PostgreSQL 15 or newer.',
    exit: 2,
  },
  STORE_DATABASE_NEWER: {
    status: 503,
    message: 'the database was migrated by a newer Breakwater (it has {names})',
    hint: 'Start the newer version, or restore a backup made with this version.',
    exit: 2,
  },
  STORE_MIGRATION_FAILED: {
    status: 503,
    message: 'migration {name} failed: {reason}',
    hint: 'Nothing of this migration was kept. Report it with this message.',
  },
  STORE_JOB_QUEUE_UNKNOWN: {
    status: 500,
    message: 'job queue {queue} is not defined',
    hint: 'This is a fault in Breakwater: define the queue at start.',
  },
  STORE_CURSOR_INVALID: {
    status: 400,
    message: 'the cursor is not one that this list gave out',
    hint: 'Use nextCursor of the page before, unchanged, or leave the cursor out to start again.',
    exit: 2,
  },
  STORE_BLOB_UNKNOWN: {
    status: 404,
    message: 'there is no stored object {id}',
    hint: 'The object was removed, or the blob directory is not the one the database belongs to.',
  },
  STORE_BLOB_EXISTS: {
    status: 409,
    message: 'a stored object {id} exists already',
    hint: 'Objects are written once. Restore into an empty blob directory.',
  },
  STORE_BLOB_SHORT: {
    status: 500,
    message: 'stored object {id} holds {actual} bytes where at least {expected} were expected',
    hint: 'The object was cut or its bytes were lost. Check the disk; push the image again or restore a backup.',
  },
  STORE_BLOB_NO_SPACE: {
    status: 507,
    message: 'no space left for stored object {id}',
    hint: 'Free disk space or raise the quota, then continue the upload: what was made durable is kept.',
  },
  STORE_BLOB_IO: {
    status: 500,
    message: 'stored object {id} could not be read or written: {reason}',
    hint: 'Check the disk and the permissions of the blob directory.',
  },
  STORE_BLOB_WRITER_CLOSED: {
    status: 500,
    message: 'the writer of stored object {id} is closed',
    hint: 'This is a fault in Breakwater: a writer was used after finish, suspend or abort.',
  },
  STORE_BLOB_DESTINATION_CLOSED: {
    status: 500,
    message: 'the receiver of stored object {id} left before all bytes were sent',
    hint: 'The client ended the connection. It may ask again, also for the rest only (Range).',
  },
  STORE_JOURNAL_RECORD_TOO_LARGE: {
    status: 500,
    message: 'a journal record of kind {kind} has {size} bytes, at most {limit} fit',
    hint: 'This is a fault in Breakwater: cut the record before it is appended.',
  },
  STORE_JOURNAL_FULL: {
    status: 503,
    message: 'the journal takes no more records: {size} bytes wait for the disk',
    hint: 'The disk of the data directory is full, slow or broken. Look at the log lines before this one.',
  },
  STORE_JOURNAL_WRITE: {
    status: 503,
    message: 'the journal could not be written: {reason}',
    hint: 'Free disk space or repair the disk of the data directory. Records wait in memory and are written then.',
  },
  STORE_JOURNAL_DAMAGED: {
    status: 500,
    message: 'journal segment {segment} is damaged at byte {offset}: {bytes} bytes were passed over',
    hint: 'Records of pulls and audit were lost on disk. Check the disk; later records were imported.',
  },
  STORE_JOURNAL_CLOSED: {
    status: 503,
    message: 'the journal is closed',
    hint: 'The server is stopping. Try again when it is back.',
  },
  STORE_JOURNAL_IMPORT: {
    status: 503,
    message: 'journal records could not be imported: {reason}',
    hint: 'The records stay in the journal and are tried again. Check the database.',
  },
  STORE_BACKUP_EXISTS: {
    status: 409,
    message: '{path} exists already',
    hint: 'Give another file name; a backup never replaces a file.',
    exit: 2,
  },
  STORE_BACKUP_WRITE: {
    status: 500,
    message: 'the backup {path} could not be written: {reason}',
    hint: 'Check free space and permissions of the target folder. No unfinished file was left.',
    exit: 3,
  },
  STORE_BACKUP_READ: {
    status: 500,
    message: 'the backup {path} could not be read: {reason}',
    hint: 'Check the path and its permissions.',
    exit: 3,
  },
  STORE_BACKUP_DAMAGED: {
    status: 400,
    message: '{path} is not a whole Breakwater backup: {reason}',
    hint: 'The file was cut or changed. Use another copy. Nothing was restored.',
    exit: 3,
  },
  STORE_BACKUP_NEWER_FORMAT: {
    status: 400,
    message: '{path} has backup format {format}, this version reads up to {supported}',
    hint: 'Restore it with the Breakwater version that wrote it, or a newer one.',
    exit: 2,
  },
  STORE_BACKUP_NEWER_SCHEMA: {
    status: 400,
    message: '{path} was made by a newer Breakwater (it knows {names})',
    hint: 'Restore it with the Breakwater version that wrote it, or a newer one.',
    exit: 2,
  },
  STORE_BACKUP_TABLE_MISSING: {
    status: 400,
    message: '{path} holds {what}, which this version no longer has',
    hint: 'Restore it with the Breakwater version that wrote it, then upgrade.',
    exit: 2,
  },
  STORE_BACKUP_NO_KEY: {
    status: 500,
    message: 'table {table} has no primary key, so it cannot be backed up page by page',
    hint: 'This is a fault in Breakwater: give the table a primary key.',
  },
  STORE_RESTORE_NOT_EMPTY: {
    status: 409,
    message: 'the store is not empty: table {table} has rows',
    hint: 'Restore into a new data directory or a new database. Nothing was changed.',
    exit: 2,
  },
});
