// Migration 7: continuous matching and freshness (`scan/`).
import type { Migration } from '../migration.ts';

export const migration: Migration = { name: '0007-continuous', statements: [] };
