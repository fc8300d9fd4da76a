// Migration 4: the tables of `scan/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0004-scan',
  statements: [],
};
