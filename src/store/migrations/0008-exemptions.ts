// Migration 8: exemptions and VEX statements (`scan/`).
import type { Migration } from '../migration.ts';

export const migration: Migration = { name: '0008-exemptions', statements: [] };
