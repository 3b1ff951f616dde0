// Tests the queues that a worker serves, which environment variables choose. Also tests the queue
// on which a migration runs, which the zone in its spec chooses.
import { describe, expect, it } from 'vitest';
import { QUEUES, queueFor, queueOfZone, zoneOf } from '../../src/domain/migration/task-queues.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { readProcessSettings } from '../../src/wiring/process-settings.js';
import { servedQueues } from '../../src/wiring/worker.js';
import { aSpec, aSpecInput } from '../support/builders.js';

function queuesOf(env: Record<string, string>, taskQueue = 'migrations'): string[] {
  const problems: string[] = [];
  const process = readProcessSettings(env, problems);
  expect(problems).toEqual([]);
  return servedQueues({ taskQueue, process }).map(({ queue }) => queue);
}
const withZone = (zone: string) => ({ ...aSpecInput(), metadata: { name: 'a', labels: { zone } } });

describe('the queues of a worker', () => {
  it('are all queues of migrations without a zone, unless variables name zones or kinds of work', () => {
    const usual = ['migrations', 'migrations-data', 'migrations-watch', 'migrations-hold'];
    expect(queuesOf({})).toEqual(usual);
    expect(queuesOf({}, 'team-a')[1]).toBe('team-a-data');
    expect(queuesOf({ SLUICE_ZONES: 'eu,us', SLUICE_SLOTS: 'data=0,hold=0,watch=0' })).toEqual([
      'migrations.eu',
      'migrations.us',
    ]);
  });
  it('have as many slots, pollers and cached workflows as the variables say', () => {
    const env = { SLUICE_SLOTS: 'data=6', SLUICE_POLLERS: '20', SLUICE_WORKFLOW_CACHE: '500' };
    expect(readProcessSettings(env, []).queues).toMatchObject({
      slots: { steps: 40, data: 6 },
      pollers: 20,
      workflowCache: 500,
    });
  });
  it('send at most one activity heartbeat in 30 s on the queue `watch`, and one in 5 s on the others', () =>
    expect(
      Object.entries(QUEUES).map(([role, { heartbeatEvery }]) => [role, heartbeatEvery]),
    ).toEqual([
      ['steps', '5s'],
      ['data', '5s'],
      ['watch', '30s'],
      ['hold', '5s'],
    ]));
  it.each([
    [{ SLUICE_ZONES: 'eu-west' }, 'zone "eu-west" must be 1 to 40 of a-z and 0-9'],
    [{ SLUICE_SLOTS: 'windows=3' }, '"windows=3" must be KIND=NUMBER'],
    [{ SLUICE_SLOTS: 'steps=0,data=0,watch=0,hold=0' }, 'leaves no kind of work'],
    [{ SLUICE_POLLERS: '1' }, 'SLUICE_POLLERS "1" must be a number of at least 2'],
  ])('are refused, with the reason, if a variable is wrong: %j', (env, reason) => {
    const problems: string[] = [];
    readProcessSettings(env, problems);
    expect(problems.join()).toContain(reason);
  });
});

describe('the zone of a spec', () => {
  it('chooses the queue of its migration, even if a kind of work has the same name as the zone', () => {
    const parsed = parseSpecObject(withZone('eu'));
    const labels = parsed.ok ? parsed.spec.metadata.labels : {};
    expect(queueOfZone('migrations', zoneOf(labels))).toBe('migrations.eu');
    expect(queueOfZone('migrations', zoneOf(aSpec().metadata.labels))).toBe('migrations');
    expect(queueOfZone('migrations', 'data')).not.toBe(queueFor('migrations', 'data'));
  });
  it('is refused if its queue would have the name of a different queue', () =>
    expect(parseSpecObject(withZone('eu-data'))).toMatchObject({ ok: false }));
});
