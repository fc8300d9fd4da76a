// Migration 2: the tables of `identity/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0002-identity',
  statements: [],
};
