// Migrates the shop of the example daily-revenue while its writers are busy. The migration fences
// the source tables, which refuse writes as long as the fence lasts. A test can also use a shop in
// which batch and stream share one table.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { asOneRole, createShop } from '../../examples/daily-revenue/legacy/shop.js';
import { buildPipeline, pipelineService } from '../../examples/daily-revenue/pipeline.js';
import { stackHome } from '../../stack/paths.js';
import { addService } from '../../stack/stack.js';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { onThisStack } from './access.js';
import { reach, sluice, waitFor, withDatabase } from './sluice.js';
import { temporaryFolder } from './temporary-folder.js';

export interface FencedShop {
  readonly name: string;
  readonly database: string;
  /**
   * Starts the migration and its pipeline. `generation` is the generation of this run. A second run
   * of the same name begins with 2.
   */
  readonly start: (generation?: number) => Promise<void>;
  /** Waits until the run needs an approval, then approves. */
  readonly approve: () => Promise<void>;
  /**
   * Waits until the run's outcome is `migrated`. Sends `retry` each time the run is blocked because
   * the hold would exceed `maxHold`, which a slow machine can cause.
   */
  readonly migrated: () => Promise<unknown>;
  readonly lease: (client: pg.Client) => Promise<{ state: string; attempt: number } | undefined>;
  /** Stops the writers. */
  readonly rest: () => void;
}

/**
 * Matches the answers that say that no further approval is needed. An earlier approval can still
 * be valid after a failed attempt.
 */
const APPROVAL_STANDS =
  /has approved this evidence already|nothing is up for approval in phase cut-over/;

/** Changes the text of the spec for the run that has this generation. */
type Edit = (yaml: string, generation: number) => string;

/**
 * Creates the shop's database and starts its writers. `name` is the name of the migration, and the
 * database's name is made from it. `edit` changes the spec.
 */
export async function openFencedShop(
  name: string,
  maxHoldSeconds: number,
  transactionsPerSecond = 2,
  edit: Edit = (yaml) => yaml,
): Promise<FencedShop> {
  const database = `${name.replaceAll('-', '_')}_shop`;
  await buildPipeline((line) => console.error(line));
  await createShop(database, { orders: 2000, seed: 3 });
  const life = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      'examples/daily-revenue/legacy/life.ts',
      database,
      String(transactionsPerSecond),
      '6',
    ],
    {
      stdio: 'ignore',
    },
  );
  const lease = `sluice_${name.replaceAll('-', '_')}.lease`;
  return {
    name,
    database,
    start: async (generation = 1) => {
      const text = (yaml: string): string => edit(yaml, generation);
      if (sluice('start', '-f', specFile(name, database, maxHoldSeconds, text)).code !== 0)
        throw new Error('the migration did not start');
      const topicPrefix = generation === 1 ? name : `${name}.g${generation}`;
      await addService(
        stackHome(),
        pipelineService(stackHome(), {
          version: 2,
          topicPrefix,
          output: name,
          application: name,
          reset: generation > 1,
        }),
      );
    },
    approve: async () => {
      await waitFor(name, 'approval');
      const { code, stderr } = sluice(
        'approve',
        name,
        '--approver',
        'ann',
        '--reason',
        'green',
        '--yes',
      );
      if (code !== 0 && !APPROVAL_STANDS.test(stderr)) throw new Error(stderr);
    },
    migrated: () => {
      const isMigrated = ({ blocked, outcome }: StatusWithWindows): boolean => {
        if (blocked?.code === 'hold-too-long') sluice('retry', name);
        return outcome === 'migrated';
      };
      return reach(name, 'migrated', isMigrated, 900_000, true);
    },
    lease: async (client) =>
      (
        await client.query<{ state: string; attempt: number }>(
          `SELECT state, attempt FROM ${lease}`,
        )
      ).rows[0],
    rest: () => void life.kill('SIGTERM'),
  };
}

export interface SharedShop {
  readonly shop: FencedShop;
  readonly dropRoles: () => Promise<void>;
}

/**
 * Opens a shop with a shared table and the roles `<name>_nightly` and `<name>_stream`. The batch
 * runs only when a test calls it. `soakFor` returns the duration of the soak for the run that has
 * this generation.
 */
export async function openSharedShop(
  name: string,
  soakFor: (generation: number) => string,
): Promise<SharedShop> {
  const table = 'daily_revenue_batch';
  const [nightly, stream] = ['nightly', 'stream'].map(
    (role) => `${name.replaceAll('-', '_')}_${role}`,
  ) as [string, string];
  const shop = await openFencedShop(name, 60, 0.5, (yaml, generation) =>
    yaml
      .replace('table: public.daily_revenue_stream', `table: public.${table}`)
      .replace(
        /route: \{ type: postgres-view.*/,
        `route: { type: postgres-table, table: public.${table}, batchRole: ${nightly}, streamRole: ${stream} }`,
      )
      .replace('soak: { for: 2s, passes: 1 }', `soak: { for: ${soakFor(generation)}, passes: 1 }`),
  );
  await withDatabase(shop.database, (client) =>
    client.query(`UPDATE batch_control SET retired = true; DROP ROLE IF EXISTS ${nightly}; DROP ROLE IF EXISTS ${stream}; CREATE ROLE ${nightly}; CREATE ROLE ${stream};
      GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${table} TO ${nightly}, ${stream}; GRANT USAGE ON SCHEMA public TO ${stream}`),
  );
  const dropRoles = async (): Promise<void> => {
    await withDatabase(shop.database, (client) =>
      client.query(
        `DROP OWNED BY ${nightly}, ${stream}; DROP ROLE ${nightly}; DROP ROLE ${stream}`,
      ),
    );
  };
  return { shop, dropRoles };
}

function specFile(
  name: string,
  database: string,
  maxHoldSeconds: number,
  edit: (yaml: string) => string,
): string {
  const dir = temporaryFolder('sluice-faults-');
  const text = asOneRole(readFileSync('examples/daily-revenue/migration.yaml', 'utf8'))
    .replace(/ {4}stages:\n(?: {6}.*\n)+/, '')
    .replaceAll('daily-revenue', name)
    .replace('maxHold: 60s', `maxHold: ${maxHoldSeconds}s\n    fence: source`);
  writeFileSync(join(dir, 'migration.yaml'), onThisStack(edit(text), database));
  writeFileSync(
    join(dir, 'daily_revenue.sql'),
    readFileSync('examples/daily-revenue/daily_revenue.sql'),
  );
  return join(dir, 'migration.yaml');
}
