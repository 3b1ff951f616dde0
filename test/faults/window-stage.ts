// Builds what the crash points of windows need: a source, its connector, a small pipeline, and the
// activities of one migration. A window can be measured here, or in a process that kills itself.
import { spawn } from 'node:child_process';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { WindowInput, WindowResult } from '../../src/activities/windows/window-activities.js';
import { createActivities } from '../../src/activities/index.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import { pausesOf } from '../../src/clients/ledger/connector-pauses.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { resolveSecret } from '../../src/wiring/config.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { planHash } from '../../src/manifest/build-plan.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { connectRest } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, dismantle } from '../support/live.js';
import { freshDatabase, specOf } from '../support/sluice.js';
import { runUntilKilled } from './killed-activity.js';

const ROWS = 300;
const SETUP = `${accounts(ROWS)} CREATE TABLE totals (bucket bigint PRIMARY KEY, n bigint, total numeric);`;
const QUERY =
  'SELECT id / 500 AS bucket, count(*) AS n, sum(balance) AS total FROM accounts GROUP BY 1';

/** Windows that run one after another in one process, which may die in the last window. */
export interface Crashes {
  readonly windows: readonly WindowInput[];
  /**
   * Effects count only if their text matches `only`. With `from`, counting begins at the first
   * effect that contains `from`.
   */
  readonly only: string;
  readonly from?: string;
  readonly at: number;
  readonly when: 'before' | 'after';
}

export interface WindowStage {
  readonly ref: MigrationRef;
  readonly change: () => Promise<unknown>;
  /** Measures a window in this process, as the retry of an attempt that died. */
  readonly window: (input: WindowInput) => Promise<WindowResult>;
  /** Returns null if the process died, or else the number of effects of the last window. */
  readonly crash: (crashes: Crashes) => number | null;
  /**
   * Waits until only the connector has a slot. Returns what else a window may have left: open
   * pauses, and the connector's state.
   */
  readonly rest: () => Promise<object>;
  readonly close: () => Promise<void>;
}

/** Creates and starts everything that a window needs. */
export async function openWindowStage(name: string): Promise<WindowStage> {
  const database = await freshDatabase(SETUP);
  const output = `${name}-totals`;
  const parsed = parseSpecObject(
    specOf(name, database.name, ['public.accounts'], {
      batch: { result: { table: 'public.totals', key: ['bucket'] }, query: { sql: QUERY } },
      pipeline: { type: 'external', groups: [name], output: { topic: output, key: ['bucket'] } },
    }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { spec } = parsed;
  const ref: MigrationRef = {
    name,
    iteration: 1,
    generation: 1,
    workflowId: `migration-${name}`,
    runKey: `run-${name}`,
    planHash: planHash(spec),
    spec,
  };
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  const systems = new Systems(resolveSecret);
  const activities = createActivities({
    secret: resolveSecret,
    ledger,
    systems,
    approvers: new Map(),
  });
  const env = (): MockActivityEnvironment => new MockActivityEnvironment({ attempt: 2 });
  const { workflowId, runKey } = ref;
  await env().run(() => activities.openMigration({ input: spec, workflowId, runKey }));
  for (const make of ['ensureLease', 'ensurePublication', 'ensureTopics', 'claimSlot'] as const)
    await env().run(activities[make], ref);
  await env().run(activities.ensureConnector, ref, 'source' as const);
  await env().run(activities.resumeConnector, ref, 'source' as const);
  const pipeline = spawn(
    process.execPath,
    ['test/support/totals-pipeline.mjs', `${name}.public.accounts`, output, name, '300000'],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const rest = connectRest();
  return {
    ref,
    change: () =>
      database.client.query(
        `UPDATE accounts SET balance = balance + 1 WHERE id = 7;
         DELETE FROM accounts WHERE id = 8; INSERT INTO accounts VALUES (8, 1, 'again')`,
      ),
    window: (input) => env().run(activities.runWindow, input),
    crash: ({ windows, ...counted }) => {
      const [last, ...earlier] = [...windows].reverse();
      return runUntilKilled({
        activity: 'runWindow',
        args: [last],
        earlier: earlier.reverse().map((one) => ['runWindow', [one]]),
        ...counted,
      });
    },
    async rest() {
      await env().run(activities.dropFolds, ref); // this also ends a waiting witness
      const slots = async (): Promise<string[]> =>
        (
          await database.client.query<{ n: string }>(
            'SELECT slot_name AS n FROM pg_replication_slots WHERE database = current_database()',
          )
        ).rows.map(({ n }) => n);
      // the server ends the session of a dead process a moment later
      await sleepUntil('only the connector has a slot', async () => (await slots()).length === 1);
      const pauses = await pausesOf(ledger, ref, name);
      return {
        openPauses: pauses.filter(({ closedBy }) => closedBy === null).length,
        connector: (await rest.status(name))?.connector.state,
      };
    },
    async close() {
      pipeline.kill('SIGKILL');
      await dismantle(database.client, name);
      await Promise.all([systems.close(), ledger.close()]);
      await database.drop();
    },
  };
}
