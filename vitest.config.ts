// Test projects: `unit` (beside the source, fast, shared threads) and `integration` (test/, real counterparts).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', '**/node_modules/**'],
          pool: 'threads',
          sequence: { groupOrder: 0 },
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts', 'src/**/*.integration.test.ts'],
          pool: 'forks',
          // Real processes on a shared machine: CI tries once more, and the summary names every test that needed it.
          retry: process.env['CI'] === undefined ? 0 : 1,
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
