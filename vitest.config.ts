import { defineConfig } from 'vitest/config';

const common = { pool: 'forks' as const, testTimeout: 300_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: [
            'test/{activities,assess,clients,domain,compare,manifest,cli,report,model,workflows,replay,stack}/**/*.test.ts',
            'test/*.test.ts',
          ],
        },
      },
      // Real services: one file at a time on two cores, on a stack of its own.
      {
        test: {
          ...common,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          globalSetup: ['test/support/stack-setup.ts'],
        },
      },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 600_000,
          globalSetup: ['test/support/stack-setup.ts'],
        },
      },
      // Every crash point, the whole model, a long storm: an hour. `npm run test:faults`.
      {
        test: {
          ...common,
          name: 'faults',
          include: [
            'test/faults/**/*.test.ts',
            'test/integration/crash-points.test.ts',
            'test/integration/idle-slot.test.ts',
            'test/model/**/*.test.ts',
            'test/e2e/random-kills.test.ts',
          ],
          env: {
            SLUICE_CRASH_POINTS: 'all',
            SLUICE_MODEL_STATES: '3000000',
            SLUICE_FOREIGN_WAL_MB: '150',
          },
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 600_000,
          globalSetup: ['test/support/stack-setup.ts'],
        },
      },
      // Flink costs another 2 GB of memory and 450 MB to fetch: `npm run test:e2e`, not `npm test`.
      {
        test: {
          ...common,
          name: 'flink',
          include: ['test/flink/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 600_000,
          globalSetup: ['test/support/stack-setup-flink.ts'],
        },
      },
    ],
  },
});
