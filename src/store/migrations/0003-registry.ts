// Migration 3: the tables of `registry/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0003-registry',
  statements: [],
};
