// Migration 5: the tables of `server/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0005-server',
  statements: [],
};
