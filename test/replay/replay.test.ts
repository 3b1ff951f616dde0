// Recorded histories replay with today's workflow code. A failure means that runs in production
// would get stuck after this upgrade. After the first release, fix such a change with `patched`,
// and do not record again.
import { readFileSync, readdirSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { quietRuntime } from '../support/time-skipping.js';

const FOLDER = 'test/histories';
const histories = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
const workflowBundle = { codePath: inject('workflowBundle') };

beforeAll(() => void quietRuntime());

const load = (file: string): { events: { [key: string]: unknown }[] } =>
  JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as { events: { [key: string]: unknown }[] };

describe('a recorded history', () => {
  it('exists for a dozen situations', () => expect(histories.length).toBeGreaterThanOrEqual(12));
  it.each(histories)('replays: %s', async (file) => {
    await Worker.runReplayHistory({ workflowBundle }, load(file), 'migration-replayed');
  });
  it('does not replay after a manipulation', async () => {
    const history = load(histories[0]!);
    const scheduled = history.events.filter((e) => 'activityTaskScheduledEventAttributes' in e);
    const attributes = scheduled[2]!['activityTaskScheduledEventAttributes'] as {
      activityType: { name: string };
    };
    attributes.activityType.name = 'removeEverything';
    await expect(
      Worker.runReplayHistory({ workflowBundle }, history, 'migration-replayed'),
    ).rejects.toThrow(/nondeterminism|Nondeterminism|DeterminismViolation/i);
  });
});
