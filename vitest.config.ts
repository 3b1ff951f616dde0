import { defineConfig } from 'vitest/config';
import { builtCode, isBuilt, loadedByNode } from './test/support/built-code.js';
import { WORKERS } from './test/support/workers.js';

const common = {
  pool: 'forks' as const,
  testTimeout: 900_000,
  hookTimeout: 600_000,
  maxWorkers: WORKERS,
  setupFiles: ['test/support/remove-temporary-folders.ts'],
  server: { deps: { external: loadedByNode } },
};

const HEAVY = ['test/**/*.heavy.test.ts', 'test/model/**/*.test.ts'];
const WORKFLOWS = ['test/{workflows,replay}/**/*.test.ts'];
/** Files whose migrations last twelve days or longer, in skipped time. */
const WEEKS = ['test/workflows/{long-waits,week}.test.ts'];
const ALONE = ['test/integration/{guard,shared-table,sight,wal-budget}.test.ts'];
const integration = (files: readonly string[]): string[] =>
  files.map((file) => `test/integration/${file}.test.ts`);
const e2e = (files: readonly string[]): string[] => files.map((file) => `test/e2e/${file}.test.ts`);
/** Files that need the catalog, WAL, locks or privileges of Postgres, and no other service. */
const POSTGRES_ONLY = integration([
  'align-query',
  'batch-aligned',
  'batch-actions',
  'batch-query',
  'batch-runs',
  'captured',
  'clock-zones',
  'copy-ranges',
  'late-writes',
  'message-size',
  'owned-by-run',
  'partition-locks',
  'polling-index',
  'query-definitions',
  'row-security',
  'shared-table-followers',
  'shared-table-lease',
  'shared-table-rights',
  'shared-table-rows',
  'shared-table-shape',
  'session-limits',
  'sight',
  'sink-relatives',
  'source-fence',
  'source-places',
  'standing-worker',
  'subscribed',
  'view-access',
  'view-switch',
  'witness',
]);
/** Files that also need Kafka, Connect and Temporal, and depend on the version of Postgres. */
const POSTGRES_AND_STACK = [
  ...integration(['daily-revenue', 'keys', 'preflight', 'privileges', 'types', 'walk']),
  ...e2e(['copy', 'partitioned', 'tables']),
];
/**
 * Suites whose global setup starts servers. If a setup comes from the cache of compiled modules and
 * throws an error, Vitest 4.1 crashes at the error's stack trace. So these suites use no cache.
 */
const WITH_SETUP = [
  'integration',
  'alone',
  'e2e',
  'faults',
  'flink',
  'postgres',
  'postgres-stack',
  'registry',
  'secure',
  'secure-migration',
  'e2e-secure',
];
const ON_STACK = {
  globalSetup: ['test/support/stack-setup.ts'],
  setupFiles: [...common.setupFiles, 'test/support/own-namespace.ts'],
};
/** Postgres, three brokers and two Connect workers, all with TLS and logins. Kafka has ACLs. */
const ON_SECURED_STACK = {
  ...ON_STACK,
  fileParallelism: false,
  globalSetup: ['test/support/stack-setup-secure.ts'],
};
const SECURE_MIGRATION = ['test/secure/migration.test.ts'];

const PROJECTS = [
  // These files use no other process and no thread. A server that they use is in their own process.
  // Each worker of vitest runs many of these files without a restart, which halves the time.
  {
    test: {
      ...common,
      name: 'unit',
      include: ['test/**/*.test.ts'],
      exclude: [
        ...HEAVY,
        ...WORKFLOWS,
        'test/{integration,e2e,faults,flink,postgres,postgres-stack,registry,secure}/**',
      ],
      isolate: false,
    },
  },
  // These files need none of the stack's servers either. But they are slow, because they test
  // properties or models, start threads or processes, or wait.
  { test: { ...common, name: 'heavy', include: HEAVY } },
  // Workflows under skipped time (Temporal's test server, a JVM), and recorded histories. The files
  // of a worker share the server. They run after `heavy`: a file of `heavy` between them would end
  // the worker of vitest, and with it the server.
  {
    test: {
      ...common,
      name: 'workflows',
      include: WORKFLOWS,
      exclude: WEEKS,
      isolate: false,
      sequence: { groupOrder: 1 },
      globalSetup: ['test/support/workflow-bundle.ts'],
    },
  },
  // Weeks of skipped time, and a month in each waiting state. Only `npm run test:e2e` runs them.
  {
    test: {
      ...common,
      name: 'weeks',
      include: WEEKS,
      globalSetup: ['test/support/workflow-bundle.ts'],
    },
  },
  // These files use real services, on a separate stack. Two files run at the same time, and
  // each worker of vitest has a namespace and a ledger.
  {
    test: {
      ...common,
      name: 'integration',
      include: ['test/integration/**/*.test.ts'],
      exclude: ALONE,
      ...ON_STACK,
    },
  },
  // Files that take over a minute, such as modes from start to end, crash points and random kills.
  // `npm run test:e2e` runs them, and `npm test` does not.
  {
    test: {
      ...common,
      name: 'e2e',
      include: ['test/e2e/**/*.test.ts'],
      ...ON_STACK,
    },
  },
  // The files of `e2e` on a secured stack. `npm run test:e2e` runs them, too.
  {
    test: {
      ...common,
      name: 'e2e-secure',
      include: ['test/e2e/**/*.test.ts'],
      ...ON_SECURED_STACK,
    },
  },
  // No other file on the stack may run beside these: each needs the whole Postgres server.
  {
    test: {
      ...common,
      name: 'alone',
      include: ALONE,
      fileParallelism: false,
      ...ON_STACK,
    },
  },
  // Tests of faults, such as every crash point, models up to 3 million states, and random kills.
  // `npm run test:faults` runs these files in about an hour.
  {
    test: {
      ...common,
      name: 'faults',
      include: [
        'test/faults/**/*.test.ts',
        'test/e2e/crash-points.test.ts',
        'test/e2e/idle-slot.test.ts',
        'test/model/**/*.test.ts',
        'test/e2e/random-kills.test.ts',
      ],
      env: {
        SLUICE_CRASH_POINTS: 'all',
        SLUICE_KILLS: '30',
        SLUICE_MODEL_STATES: '3000000',
        SLUICE_FOREIGN_WAL_MB: '150',
      },
      fileParallelism: false,
      ...ON_STACK,
    },
  },
  // One migration with a batch on a secured stack, from start to end.
  {
    test: {
      ...common,
      name: 'secure-migration',
      include: SECURE_MIGRATION,
      ...ON_SECURED_STACK,
    },
  },
  // Killed brokers and Connect workers, tokens, Flink with a login. Only in `npm run test:e2e`.
  {
    test: {
      ...common,
      name: 'secure',
      include: ['test/secure/**/*.test.ts'],
      exclude: SECURE_MIGRATION,
      ...ON_SECURED_STACK,
    },
  },
  // The formats of a schema registry, which needs another JVM. Only `npm run test:e2e` runs them.
  {
    test: {
      ...common,
      name: 'registry',
      include: ['test/registry/**/*.test.ts'],
      fileParallelism: false,
      ...ON_STACK,
      globalSetup: ['test/support/stack-setup-registry.ts'],
    },
  },
  // Another major version of Postgres, which SLUICE_PG_MAJOR names: first the server alone, then
  // with the whole stack. `npm run test:postgres` runs both on each version.
  {
    test: {
      ...common,
      name: 'postgres',
      include: [...POSTGRES_ONLY, 'test/postgres/**/*.test.ts'],
      fileParallelism: false,
      ...ON_STACK,
      globalSetup: ['test/support/stack-setup-postgres.ts'],
    },
  },
  {
    test: {
      ...common,
      name: 'postgres-stack',
      include: [...POSTGRES_AND_STACK, 'test/postgres-stack/**/*.test.ts'],
      fileParallelism: false,
      ...ON_STACK,
    },
  },
  // Flink needs 2 GB more memory and 450 MB to fetch, so only `npm run test:e2e` runs these files.
  {
    test: {
      ...common,
      name: 'flink',
      include: ['test/flink/**/*.test.ts'],
      fileParallelism: false,
      ...ON_STACK,
      globalSetup: ['test/support/stack-setup-flink.ts'],
    },
  },
];

export default defineConfig({
  test: {
    // Keeps compiled modules on disk, because compiling them took a third of the time of `unit`.
    experimental: {
      fsModuleCache: !isBuilt && !WITH_SETUP.some((suite) => process.argv.includes(suite)),
    },
    projects: PROJECTS.map((project) => ({ plugins: [builtCode], ...project })),
  },
});
