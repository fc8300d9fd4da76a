// Migration 1: the tables of `store/`.
import type { Migration } from '../migration.ts';

export const migration: Migration = {
  name: '0001-store',
  statements: [],
};
