// Tests how the guard checks connectors. It reports a change by a person, or a failed task, only
// after this state has lasted for a while. It also reports when the state is over.
import { describe, expect, it } from 'vitest';
import { ConnectorWatch } from '../../src/activities/guard/connector-watch.js';
import { driftOf } from '../../src/activities/capture/connectors/connector-state.js';
import type { ConnectorTrouble } from '../../src/domain/capture/connector-trouble.js';

const PLANNED = { 'table.include.list': 'public.a', 'poll.interval.ms': '500' };
const CONNECTOR = {
  name: 'c',
  planned: PLANNED,
  driftOf: (stored: Readonly<Record<string, string>>) => driftOf(PLANNED, stored),
  captures: (key: string) => key !== 'poll.interval.ms',
};

const howToResume = (name: string): string => `resume ${name}`;

/** A Kafka Connect with one connector. Null means that the connector was deleted. */
const connect = (state: string | null, more: { config?: object; tasks?: string[] } = {}) => ({
  howToResume,
  config: () => Promise.resolve(state === null ? null : { ...PLANNED, ...more.config }),
  status: () =>
    Promise.resolve(
      state === null
        ? null
        : {
            connector: { state },
            tasks: (more.tasks ?? [state]).map((task, id) => ({ id, state: task })),
          },
    ),
});

const FAILED: ConnectorTrouble = {
  connector: 'c',
  code: 'connector-failed',
  detail: 'the task of connector c fails again and again: boom',
  remedy: 'fix it',
  blocks: true,
};

describe('the guard', () => {
  it.each([
    ['was deleted', connect(null), 'connector-gone', true],
    ['is PAUSED', connect('PAUSED'), 'connector-paused', true],
    ['is STOPPED', connect('STOPPED', { tasks: [] }), 'connector-paused', true],
    [
      'was edited; keys that differ from the plan: table.include.list (planned: public.a)',
      connect('RUNNING', { config: { 'table.include.list': 'public.b' } }),
      'connector-drift',
      true,
    ],
    [
      'was edited; keys that differ from the plan: poll.interval.ms (planned: 500)',
      connect('RUNNING', { config: { 'poll.interval.ms': '9' } }),
      'connector-drift',
      false,
    ],
    [
      'was edited; keys that differ from the plan: column.exclude.list (not planned)',
      connect('RUNNING', { config: { 'column.exclude.list': 'public.a.b' } }),
      'connector-drift',
      true,
    ],
  ])(
    'reports a connector that %s, after this state has lasted for a while',
    async (detail, rest, code, blocks) => {
      const watch = new ConnectorWatch(rest, []);
      expect(await watch.look([CONNECTOR], 0)).toBeNull();
      expect(await watch.look([CONNECTOR], 10_000)).toBeNull();
      const found = await watch.look([CONNECTOR], 16_000);
      expect(found).toMatchObject([
        { connector: 'c', code, detail: `connector c ${detail}`, blocks },
      ]);
      const again = new ConnectorWatch(rest, found!);
      expect(await again.look([CONNECTOR], 20_000)).toBeNull();
      expect(
        await new ConnectorWatch(connect('RUNNING'), found!).look([CONNECTOR], 21_000),
      ).toEqual([]);
    },
  );

  it('does not report a short pause, a running connector, or a connector that does not exist yet', async () => {
    let state = 'PAUSED';
    const rest = {
      howToResume,
      config: () => Promise.resolve(PLANNED),
      status: () => Promise.resolve({ connector: { state }, tasks: [{ id: 0, state }] }),
    };
    const watch = new ConnectorWatch(rest, []);
    expect(await watch.look([CONNECTOR], 0)).toBeNull();
    state = 'RUNNING';
    expect(await watch.look([CONNECTOR], 10_000)).toBeNull();
    state = 'PAUSED';
    expect(await watch.look([CONNECTOR], 20_000)).toBeNull();
    expect(await new ConnectorWatch(connect(null), []).look([], 90_000)).toBeNull();
  });

  it('treats a task that failed repeatedly as recovered only after it has run for a while', async () => {
    const watch = new ConnectorWatch(connect('RUNNING'), [FAILED]);
    expect(await watch.look([CONNECTOR], 0)).toBeNull();
    expect(await watch.look([CONNECTOR], 30_000)).toBeNull();
    expect(await watch.look([CONNECTOR], 46_000)).toEqual([]);
    const failing = new ConnectorWatch(connect('RUNNING', { tasks: ['FAILED'] }), [FAILED]);
    expect(await failing.look([CONNECTOR], 0)).toBeNull();
    expect(await failing.look([CONNECTOR], 90_000)).toBeNull();
  });

  it('reports the failed task of an adopted connector once, and reports when the task runs again', async () => {
    const adopted = { ...CONNECTOR, isAdopted: true };
    const failing = connect('RUNNING', { tasks: ['FAILED'] });
    const watch = new ConnectorWatch(failing, []);
    expect(await watch.look([adopted], 0)).toBeNull();
    const found = await watch.look([adopted], 16_000);
    expect(found).toMatchObject([
      {
        code: 'connector-failed',
        blocks: true,
        remedy: expect.stringContaining('restart its task'),
      },
    ]);
    expect(await new ConnectorWatch(failing, found!).look([adopted], 20_000)).toBeNull();
    expect(await new ConnectorWatch(connect('RUNNING'), found!).look([adopted], 21_000)).toEqual(
      [],
    );
  });
});
