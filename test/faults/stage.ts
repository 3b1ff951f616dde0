// Sets up what the tests of crash points need: a database with a batch and its view, and the spec
// of a migration. It also lists what the tested activities can change outside their process.
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities, type Activities } from '../../src/activities/index.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { resolveSecret } from '../../src/wiring/config.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { planHash } from '../../src/manifest/build-plan.js';
import { connectorNames, fetchConnect } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { freshDatabase, specOf } from '../support/sluice.js';
import { runUntilKilled } from './killed-activity.js';

/** The roles of batch and stream. Roles belong to the server, so each setup has its own. */
const rolesOf = (name: string) => ({
  nightly: `${name.replaceAll('-', '_')}_nightly`,
  stream: `${name.replaceAll('-', '_')}_stream`,
});

export type ActivityName = keyof Activities;

export interface Stage {
  readonly ref: MigrationRef;
  /** Runs an activity to its end in this process. */
  readonly act: (name: ActivityName, ...args: unknown[]) => Promise<unknown>;
  /**
   * Runs an activity in a process that dies at an effect. Returns null if the process died, or else
   * the number of the activity's effects.
   */
  readonly crash: (
    name: ActivityName,
    args: unknown[],
    at: number,
    when: 'before' | 'after',
  ) => number | null;
  /** Returns objects, rows and privileges as text, so that two states can be compared. */
  readonly world: () => Promise<object>;
  /** Deletes the ranges that the initial load `copy` has recorded in the ledger. */
  readonly forgetCopy: () => Promise<unknown>;
  /** Restores the batch's rows, and the privileges of both roles. */
  readonly restore: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/**
 * Creates the setup. With `isShared`, batch and stream share a table. Otherwise, consumers read a
 * view.
 */
export async function openStage(name: string, isShared = false): Promise<Stage> {
  const { nightly, stream } = rolesOf(name);
  const database = await freshDatabase(`
    CREATE TABLE source (id int PRIMARY KEY, n bigint NOT NULL); INSERT INTO source SELECT g, g FROM generate_series(1, 20) g;
    CREATE TABLE batch_result (id int PRIMARY KEY, n bigint); INSERT INTO batch_result SELECT * FROM source;
    CREATE TABLE stream_result (id int PRIMARY KEY, n bigint); CREATE VIEW result AS SELECT id, n FROM batch_result;
    DROP ROLE IF EXISTS ${nightly}; DROP ROLE IF EXISTS ${stream}; CREATE ROLE ${nightly}; CREATE ROLE ${stream}; GRANT ALL ON batch_result TO ${nightly}, ${stream}`);
  const spec = refOf(name, database.name, isShared);
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  const systems = new Systems(resolveSecret);
  const activities = createActivities({
    secret: resolveSecret,
    ledger,
    systems,
    approvers: new Map(),
  }) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const list = async (sql: string): Promise<unknown[]> =>
    (await database.client.query<Record<string, unknown>>(sql)).rows.map((r) =>
      Object.values(r).join(' '),
    );
  return {
    ref: spec,
    act: (activity, ...args) => new MockActivityEnvironment().run(activities[activity]!, ...args),
    crash: (activity, args, at, when) => runUntilKilled({ activity, args, at, when }),
    world: async () => ({
      publications: await list(
        'SELECT pubname, tablename FROM pg_publication_tables ORDER BY 1, 2',
      ),
      slots: await list(
        'SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1',
      ),
      schemas: await list(
        `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sluice%' ORDER BY 1`,
      ),
      functions: await list(
        `SELECT proname FROM pg_proc WHERE pronamespace::regnamespace::text LIKE 'sluice%' ORDER BY 1`,
      ),
      triggers: await list(
        `SELECT tgname, tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgname LIKE 'sluice%' ORDER BY 1, 2`,
      ),
      lease: await list(
        `SELECT state, token, attempt, epoch, evidence_digest, expires_at IS NULL FROM sluice_${name.replaceAll('-', '_')}.lease`,
      ).catch(() => ['no lease']),
      view: await list(`SELECT pg_get_viewdef('result'::regclass)`),
      tables: await list(
        `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
      ),
      rows: await list('SELECT id, n FROM batch_result ORDER BY id'),
      kept: await list(
        `SELECT id, n FROM sluice_${name.replaceAll('-', '_')}.kept ORDER BY id`,
      ).catch(() => ['none']),
      rights: await list(
        `SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE grantee IN ('${nightly}', '${stream}') ORDER BY 1, 2`,
      ),
      topics: (await systems.kafka(spec.spec).listTopics())
        .filter((t) => t.startsWith(name))
        .sort(),
      connectors: await connectors(name),
      ledger: (await ledger.openObjects(name)).map((o) => `${o.kind} ${o.name}`).sort(),
      open: await ledger.query('SELECT iteration, outcome FROM sluice.migration WHERE name = $1', [
        name,
      ]),
    }),
    restore: () =>
      database.client.query(
        `TRUNCATE batch_result; INSERT INTO batch_result SELECT * FROM source; GRANT ALL ON batch_result TO ${nightly}, ${stream}`,
      ),
    forgetCopy: () => ledger.query('DELETE FROM sluice.copied WHERE run_key = $1', [spec.runKey]),
    close: async () => {
      await Promise.all([systems.close(), ledger.close()]);
      await database.client.query(
        `DROP OWNED BY ${nightly}, ${stream}; DROP ROLE ${nightly}; DROP ROLE ${stream}`,
      );
      await database.drop();
    },
  };
}

/**
 * Lists each connector with its state and, for a sink, the table that it writes to. The name alone
 * would not show that a sink writes to the wrong table.
 */
async function connectors(name: string): Promise<string[]> {
  const described = (await connectorNames())
    .filter((c) => c.startsWith(name))
    .map(async (c) => {
      let state = '';
      // The status appears a moment after the connector.
      await sleepUntil(`a status of ${c}`, async () => {
        state =
          (
            (await (await fetchConnect(`/connectors/${c}/status`)).json()) as {
              connector?: { state: string };
            }
          ).connector?.state ?? '';
        return ['RUNNING', 'STOPPED', 'PAUSED'].includes(state);
      });
      const config = (await (await fetchConnect(`/connectors/${c}/config`)).json()) as Record<
        string,
        string
      >;
      return `${c} ${state} ${config['collection.name.format'] ?? ''}`;
    });
  return (await Promise.all(described)).sort();
}

function refOf(name: string, database: string, isShared: boolean): MigrationRef {
  const { nightly, stream } = rolesOf(name);
  const table = isShared ? 'public.batch_result' : 'public.stream_made';
  const route = isShared
    ? { type: 'postgres-table', table, batchRole: nightly, streamRole: stream }
    : { type: 'postgres-view', view: 'public.result', batch: 'public.batch_result', stream: table };
  const parsed = parseSpecObject(
    specOf(name, database, ['public.source'], {
      batch: {
        result: { table: 'public.batch_result', key: ['id'] },
        query: { sql: 'SELECT id, n FROM source' },
      },
      pipeline: { type: 'external', groups: [name], output: { topic: `${name}-out`, key: ['id'] } },
      sink: { type: 'jdbc-sink', table },
      cutover: { fence: 'source', route },
    }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { spec } = parsed;
  return {
    name,
    iteration: 1,
    generation: 1,
    workflowId: `migration-${name}`,
    runKey: `run-${name}`,
    planHash: planHash(spec),
    spec,
  };
}
