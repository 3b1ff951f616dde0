// Uses only the `temporal` command, and not Sluice's command line. A migration is started with the
// spec as JSON, watched with queries, and approved or rolled back with signals. Other runs are
// rejected or cancelled.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { accounts, busy, dismantle, live, objects } from '../support/live.js';
import { specOf } from '../support/sluice.js';

const { aDatabase } = live();

function temporal(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    'temporal',
    ['workflow', ...args, '--address', process.env['TEMPORAL_ADDRESS']!],
    { encoding: 'utf8' },
  );
  if (status !== 0)
    throw new Error(`temporal ${args.join(' ')} exited ${status}: ${stderr}${stdout}`);
  return stdout;
}

function start(name: string, database: string): void {
  const input = JSON.stringify(specOf(name, database, ['public.accounts']));
  temporal(
    'start',
    '--type',
    'migrateToStreaming',
    '--task-queue',
    'migrations',
    '-w',
    `migration-${name}`,
    '--input',
    input,
  );
}
const signal = (name: string, message: string, input: object) =>
  temporal(
    'signal',
    '-w',
    `migration-${name}`,
    '--name',
    message,
    '--input',
    JSON.stringify(input),
  );

interface Shown {
  readonly phase: string;
  readonly outcome: string | null;
  readonly next: string[];
}
const shown = (name: string): Shown =>
  (
    JSON.parse(temporal('query', '-w', `migration-${name}`, '--name', 'status', '-o', 'json')) as {
      queryResult: Shown[];
    }
  ).queryResult[0]!;
const reaches = (name: string, wanted: Partial<Shown>) =>
  sleepUntil(
    JSON.stringify(wanted),
    () => {
      const now = shown(name);
      return Object.entries(wanted).every(([key, value]) => now[key as keyof Shown] === value);
    },
    600_000,
    500,
  );

/** Waits until the run has ended, which is a moment after it has its outcome. */
const isClosed = (name: string): Promise<void> =>
  sleepUntil('the workflow is closed', () =>
    temporal('describe', '-w', `migration-${name}`).includes('COMPLETED'),
  );

describe('a person with only the temporal command', () => {
  it('starts, watches and approves a migration of a table under load, which ends as migrated', async () => {
    const database = await aDatabase(accounts());
    const stop = busy(database);
    start('plain', database.name);
    await reaches('plain', { phase: 'approve' });
    const asked = 'SluiceNeedsApproval = true AND SluicePhase = "approve"';
    await sleepUntil('the run is listed, which Temporal does a moment later', () =>
      temporal('list', '--query', asked).includes('migration-plain'),
    );
    signal('plain', 'approveCutover', { approver: 'ann' });
    await reaches('plain', { outcome: 'migrated' });
    await stop();
    await isClosed('plain');
    await dismantle(database.client, 'plain');
  });

  it('starts a migration three times, and rolls it back, rejects it, and cancels it', async () => {
    const database = await aDatabase(accounts());
    const ends: [string, () => void][] = [
      ['rolled-back', () => signal('plain-ends', 'rollBack', { by: 'ann', reason: 'test' })],
      [
        'rejected',
        () => signal('plain-ends', 'rejectCutover', { approver: 'ann', reason: 'test' }),
      ],
      ['aborted', () => void temporal('cancel', '-w', 'migration-plain-ends')],
    ];
    for (const [outcome, end] of ends) {
      start('plain-ends', database.name);
      await reaches('plain-ends', { phase: 'approve' });
      end();
      await reaches('plain-ends', { outcome });
      expect(await objects(database.client)).toEqual([]);
      await isClosed('plain-ends');
    }
  });

  it('sees a run with a wrong spec fail, and its error counts the problems', () => {
    const input = ['--input', '{"kind":"Migration"}'];
    const queue = ['--task-queue', 'migrations', '-w', 'migration-nothing'];
    expect(() => temporal('execute', '--type', 'migrateToStreaming', ...queue, ...input)).toThrow(
      /the spec has \d+ problem/,
    );
  });
});
