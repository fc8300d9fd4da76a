// Migration 6: secrets found in layers (`scan/secrets/`).
import type { Migration } from '../migration.ts';

export const migration: Migration = { name: '0006-secrets', statements: [] };
