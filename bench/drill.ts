// Repeats the fence and the commit of a cut-over on a real database, while readers and writers are
// busy. Such a test is a drill. It calls the real activities, but runs no workflow.
import pg from 'pg';
import { createBatchActivities } from '../src/activities/cutover/batch-activities.js';
import { createCutoverActivities } from '../src/activities/cutover/cutover-activities.js';
import { createFenceActivities, type FenceInput } from '../src/activities/cutover/fence.js';
import { createObjectActivities } from '../src/activities/objects/object-activities.js';
import { createLeftoverActivities } from '../src/activities/objects/sweep-activities.js';
import { Systems } from '../src/activities/runtime/deps.js';
import { createLeaseTableSql } from '../src/clients/postgres/lease-row.js';
import { Ledger } from '../src/clients/ledger/ledger.js';
import { resolveSecret } from '../src/wiring/config.js';
import type { MigrationRef } from '../src/domain/evidence/ledger-rows.js';
import type { MigrationSpec } from '../src/domain/migration/spec.js';
import { parseSpecObject } from '../src/manifest/parse.js';
import { benchPostgres } from './bench-postgres.js';

const NAME = 'sluice-drill';
/** The table with the lease rows. This drill, expiry-drill.ts and fence-drill.ts share it. */
export const LEASE = '"sluice_sluice_drill".lease';

export interface Drill {
  readonly database: string;
  /**
   * Returns the ref of a migration. If no name is given, its commit switches the view. If a name is
   * given, the migration has its own lease row and no view, so many of them can run at once.
   */
  readonly ref: (migration?: string) => MigrationRef;
  readonly cutover: ReturnType<typeof createCutoverActivities> &
    ReturnType<typeof createBatchActivities> &
    ReturnType<typeof createFenceActivities> &
    ReturnType<typeof createObjectActivities> &
    Pick<ReturnType<typeof createLeftoverActivities>, 'endAttempts'>;
  readonly client: pg.Client;
  readonly close: () => Promise<void>;
}

/**
 * Creates a database with a source table, the batch's table, the stream's table, a view, and a
 * table for lease rows. The view reads the batch's table.
 */
export async function openDrill(database: string): Promise<Drill> {
  const admin = new pg.Client({ database: 'postgres' });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${database}`);
  const client = new pg.Client({ database });
  await client.connect();
  await client.query(`
    CREATE TABLE source (id int PRIMARY KEY, n bigint NOT NULL); INSERT INTO source SELECT g, 0 FROM generate_series(1, 1000) g;
    CREATE TABLE batch_result (id int PRIMARY KEY, side text NOT NULL); CREATE TABLE stream_result (id int PRIMARY KEY, side text NOT NULL);
    INSERT INTO batch_result VALUES (1, 'batch'); INSERT INTO stream_result VALUES (1, 'stream');
    CREATE VIEW result AS SELECT id, side FROM batch_result;`);
  await client.query(createLeaseTableSql('sluice_sluice_drill'));
  const spec = aSpec(database);
  const unrouted: MigrationSpec = {
    ...spec,
    spec: { ...spec.spec, cutover: { ...spec.spec.cutover, route: { type: 'none' } } },
  };
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  const systems = new Systems(resolveSecret);
  const deps = { secret: resolveSecret, ledger, systems, approvers: new Map() };
  return {
    database,
    client,
    cutover: {
      ...createFenceActivities(deps),
      ...createBatchActivities(deps),
      ...createCutoverActivities(deps),
      ...createObjectActivities(deps),
      endAttempts: createLeftoverActivities(deps).endAttempts,
    },
    ref: (migration) => ({
      name: migration ?? NAME,
      iteration: 1,
      generation: 1,
      workflowId: NAME,
      runKey: NAME,
      planHash: 'p',
      spec: migration === undefined ? spec : unrouted,
    }),
    close: async () => {
      await client.end();
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await admin.end();
      await Promise.all([ledger.close(), systems.close()]);
    },
  };
}

function aSpec(database: string): MigrationSpec {
  const parsed = parseSpecObject({
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Migration',
    metadata: { name: NAME },
    spec: {
      source: {
        postgres: benchPostgres(database),
        tables: ['public.source'],
      },
      batch: {
        result: { table: 'public.batch_result', key: ['id'] },
        query: { sql: 'SELECT id, side FROM batch_result' },
      },
      connector: { type: 'debezium-postgres', url: 'http://127.0.0.1:1' },
      kafka: { brokers: ['127.0.0.1:1'] },
      pipeline: { type: 'external', groups: ['g'], output: { topic: 'o', key: ['id'] } },
      sink: { type: 'jdbc-sink', table: 'public.stream_result' },
      cutover: {
        route: {
          type: 'postgres-view',
          view: 'public.result',
          batch: 'public.batch_result',
          stream: 'public.stream_result',
        },
      },
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.spec;
}

export interface Rounds {
  readonly fenceMs: readonly number[];
  readonly holdMs: readonly number[];
  /**
   * The number of reads that returned the wrong side (batch or stream). A read during which the
   * view was switched does not count, because it may see either side.
   */
  readonly slipped: number;
  readonly reads: number;
  readonly writes: number;
  readonly refused: readonly string[];
}

/**
 * Runs rounds. Each round fences, commits, observes what consumers read, and routes them back.
 * During the rounds, `busy` connections write to the source, and the same number of connections
 * read the view.
 */
export async function fenceRounds(drill: Drill, rounds: number, busy: number): Promise<Rounds> {
  let side: 'batch' | 'stream' | null = 'batch';
  let stop = false;
  const tally = { slipped: 0, reads: 0, writes: 0 };
  const loop = async (turn: (client: pg.Client) => Promise<void>): Promise<void> => {
    const client = new pg.Client({ database: drill.database });
    await client.connect();
    while (!stop) await turn(client);
    await client.end();
  };
  const reader = (client: pg.Client) => {
    const before = side;
    return client.query<{ side: string }>('SELECT side FROM result').then(({ rows }) => {
      tally.reads += 1;
      if (before !== null && before === side && rows[0]?.side !== before) tally.slipped += 1;
    });
  };
  const writer = async (client: pg.Client): Promise<void> => {
    await client.query('UPDATE source SET n = n + 1 WHERE id = $1', [
      1 + Math.floor(Math.random() * 1000),
    ]);
    tally.writes += 1;
  };
  const loops = Array.from({ length: busy }, () => [loop(reader), loop(writer)]).flat();
  const [fenceMs, holdMs, refused]: [number[], number[], string[]] = [[], [], []];
  await drill.client.query(
    `INSERT INTO ${LEASE} (migration, state, epoch) VALUES ($1, 'OPEN', 0)`,
    [NAME],
  );
  for (let round = 0; round < rounds; round += 1) {
    const input: FenceInput = {
      ref: drill.ref(),
      token: `round-${round}`,
      attempt: round + 1,
      epoch: 1,
      evidenceId: 'ev',
    };
    const started = performance.now();
    const fence = await drill.cutover.fence(input);
    fenceMs.push(performance.now() - started);
    side = null; // during the switch, a reader may see either side
    const commit = await drill.cutover.commitCutover(input);
    holdMs.push(performance.now() - started);
    for (const { refused: why } of [fence, commit]) if (why) refused.push(why);
    side = (await drill.cutover.observeRoute(drill.ref())).side;
    await new Promise((resolve) => setTimeout(resolve, 1));
    side = null;
    await drill.cutover.routeBack(drill.ref());
    await drill.client.query(
      `UPDATE ${LEASE} SET state = 'OPEN', switched_at = NULL WHERE migration = $1`,
      [NAME],
    );
    side = 'batch';
  }
  stop = true;
  await Promise.all(loops);
  return { fenceMs, holdMs, refused, ...tally };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
