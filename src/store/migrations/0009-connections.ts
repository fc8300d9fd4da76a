// Migration 9: connected registries (`registry/connections/`).
import type { Migration } from '../migration.ts';

export const migration: Migration = { name: '0009-connections', statements: [] };
