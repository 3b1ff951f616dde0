// Tests the consequences of a changed fact. The change may be a harmless restart, may require
// that the next window reads every row, or may begin a new epoch.
import { describe, expect, it } from 'vitest';
import {
  NOT_RUNNING,
  factsChange,
  withLastKnown,
  type Facts,
} from '../../src/domain/evidence/epoch.js';
import { FACT_RULES, UNKNOWN_IDENTITY, ruleOf } from '../../src/domain/evidence/fact-rules.js';
import { restartedDuring, withCauseOfFull } from '../../src/domain/evidence/restart-in-window.js';
import {
  groupIdentity,
  membersOf,
  pluginVersion,
} from '../../src/activities/windows/part-identity.js';
import type { KnownGroup } from '../../src/clients/kafka/groups.js';

const FACTS: Facts = {
  server: '7/1',
  slot: 'pgoutput of shop',
  'connector task': 'walsender 1',
  'connector version': 'debezium 3.4 on Kafka Connect 4.1',
  'connector config': 'as planned',
  'members of sink group': ['s1'],
  'sink group': 'classic group, protocol range',
  'sink version': 'jdbc 3.4 on Kafka Connect 4.1',
  'sink config': 'as planned',
  'members of pipeline group totals': ['m1', 'm2'],
  'pipeline group totals': 'classic group, protocol range, reads t, client ids totals-1.4',
  'pipeline job totals': 'job 1',
};

const RESTARTS: Record<string, Facts> = {
  'a connector task runs again': { 'connector task': 'walsender 2' },
  'a sink task runs again': { 'members of sink group': ['s2'] },
  'one member of the pipeline left and came back': {
    'members of pipeline group totals': ['m1', 'm3'],
  },
  'all processes restart at once': {
    'connector task': 'walsender 2',
    'members of sink group': ['s2'],
    'members of pipeline group totals': ['m3', 'm4'],
  },
};

const CHANGES: Record<string, Facts> = {
  'the plugin changed its version': { 'connector version': 'debezium 3.5 on Kafka Connect 4.1' },
  'the connector config was changed': { 'connector config': 'differs in slot.name (12)' },
  'the sink has a different configuration': { 'sink config': 'differs in topics (12)' },
  'the group protocol changed': { 'pipeline group totals': 'consumer group, protocol uniform' },
  'the client ids name a different version': {
    'pipeline group totals': 'classic group, protocol range, reads t, client ids totals-1.5',
  },
  'a job was deployed again': { 'pipeline job totals': 'job 2' },
  'the slot is missing': { slot: 'missing' },
  'the server failed over': { server: '7/2' },
  'a fact is new, and no rule names it': { 'something else': 'x' },
};

describe('a restart', () => {
  it.each(Object.entries(RESTARTS))('is harmless if %s, and is reported', (_what, facts) => {
    const change = factsChange(FACTS, { ...FACTS, ...facts });
    expect(change).toMatchObject({ epoch: null, fullWindow: null });
    for (const name of Object.keys(facts)) expect(change!.restart).toContain(name);
  });

  it.each(Object.entries(CHANGES))(
    'does not hide a change that begins an epoch: %s',
    (_what, facts) => {
      for (const also of [{}, RESTARTS['all processes restart at once']])
        expect(factsChange(FACTS, { ...FACTS, ...also, ...facts })!.epoch).toContain(
          Object.keys(facts)[0],
        );
    },
  );

  it.each(['before', 'after'])(
    "counts as a change if the part's identity is unknown %s the restart",
    (when) => {
      for (const rule of FACT_RULES.filter(({ cost }) => cost === 'restart')) {
        const [name] = Object.keys(FACTS).filter((fact) => fact.startsWith(rule.fact));
        const part = name!.slice(rule.fact.length);
        for (const identity of rule.identifiedBy!) {
          const unread = { [`${identity}${part}`]: UNKNOWN_IDENTITY };
          const [before, after] = when === 'before' ? [unread, {}] : [{}, unread];
          const change = factsChange(
            { ...FACTS, ...before },
            { ...FACTS, [name!]: 'another', ...after },
          );
          expect(change!.epoch).toContain(`${identity}${part} is unknown`);
        }
      }
    },
  );

  it('of one pipeline group is not excused by the identity of another group', () => {
    const before = { ...FACTS, 'members of pipeline group other': ['o1'] };
    const change = factsChange(before, { ...before, 'members of pipeline group other': ['o2'] });
    expect(change!.epoch).toContain('pipeline group other is unknown');
  });

  it('is judged by rules that each have a reason, and a change of the server begins an epoch', () => {
    for (const { reason } of FACT_RULES) expect(reason).not.toBe('');
    expect(ruleOf('server').rule.cost).toBe('epoch');
  });
});

describe('a part that is not running', () => {
  const GONE = {
    'connector task': NOT_RUNNING,
    'members of pipeline group totals': [],
    'pipeline group totals': 'classic group without members',
  };

  it('is judged when it runs again: the same identity is harmless, and a different one is a change', () => {
    const { facts, stopped } = withLastKnown(FACTS, { ...FACTS, ...GONE });
    expect(factsChange(FACTS, facts)).toBeNull();
    expect(stopped).toBe('connector task, members of pipeline group totals: not running now');
    const back = { ...FACTS, 'members of pipeline group totals': ['m9'] };
    expect(factsChange(facts, back)).toMatchObject({ epoch: null });
    const other = { ...back, 'pipeline group totals': 'streams group, protocol topology 2' };
    expect(factsChange(facts, other)!.epoch).toContain('protocol topology 2');
  });

  it('does not hide that its configuration changed in the meantime', () => {
    const edited = { ...FACTS, ...GONE, 'connector config': 'differs in slot.name (12)' };
    expect(factsChange(FACTS, withLastKnown(FACTS, edited).facts)!.epoch).toContain('slot.name');
  });

  it('has no last known identity if it never ran, so its first start is a change', () => {
    const never = { ...FACTS, ...GONE };
    const { facts, stopped } = withLastKnown(never, FACTS);
    expect(stopped).toBeNull();
    expect(factsChange(never, facts)!.epoch).toContain('pipeline group totals');
  });
});

describe('a window that reads every row because of a change', () => {
  const replaced = { ...FACTS, 'members of pipeline group totals': ['m1', 'm3'] };

  it('names the change if it passes', () => {
    const passed = { verdict: 'passed', reason: '0 differences in 3 keys' } as const;
    const { reason } = withCauseOfFull(passed, factsChange(FACTS, replaced));
    expect(reason).toBe(
      '0 differences in 3 keys; every row was read, because members of pipeline group totals: no longer m2; now m3',
    );
    expect(withCauseOfFull(passed, null)).toEqual(passed);
  });

  it('keeps its own reason if it does not pass', () => {
    const failed = { verdict: 'failed', reason: 'missing 1 rows > 0 allowed' } as const;
    expect(withCauseOfFull(failed, factsChange(FACTS, replaced))).toEqual(failed);
  });
});

describe('a restart during a window', () => {
  const BACK = { ...FACTS, 'connector task': 'walsender 2' };
  const open = [{ verdict: 'inconclusive' as const, unknown: 0 }];
  const around = { before: FACTS, after: BACK };

  it('is named as the reason why the window proves nothing', () => {
    expect(restartedDuring(around, around, open)).toBe('connector task: walsender 1 → walsender 2');
    expect(restartedDuring({ before: FACTS, after: FACTS }, around, open)).toBeNull();
  });

  it('is not named as the reason after another verdict, an unreadable record or a different change', () => {
    for (const verdict of ['failed', 'errored', 'passed'] as const)
      expect(restartedDuring(around, around, [...open, { verdict, unknown: 0 }])).toBeNull();
    const unreadable = { verdict: 'inconclusive' as const, unknown: 1 };
    expect(restartedDuring(around, around, [unreadable])).toBeNull();
    for (const also of [{ server: '7/2' }, { 'storage of public.t': '2' }]) {
      const changed = { before: FACTS, after: { ...BACK, ...also } };
      expect(restartedDuring(changed, changed, open)).toBeNull();
    }
  });

  it('is recognized even if the part was not running at one of the two readings of the facts', () => {
    const idle = { ...FACTS, 'members of pipeline group totals': [], 'pipeline group totals': '-' };
    const standing = { before: withLastKnown(FACTS, idle).facts, after: FACTS };
    expect(restartedDuring({ before: idle, after: FACTS }, standing, open)).toContain(
      'members of pipeline group totals',
    );
  });
});

describe('the identity of a group', () => {
  const group = (more: Partial<KnownGroup> = {}): KnownGroup => ({
    type: 'classic',
    state: 'Stable',
    members: ['a', 'b'],
    topics: ['t'],
    protocol: 'range',
    clients: ['totals-1.4', 'totals-1.4'],
    ...more,
  });

  it.each([
    ['consumer-totals-1', 'consumer-totals-2'],
    [
      'app-8f14e45f-ceea-467f-9f3a-0a1b2c3d4e5f-StreamThread-1-consumer',
      'app-00000000-ceea-467f-9f3a-0a1b2c3d4e5f-StreamThread-2-consumer',
    ],
  ])('ignores what changes with every start: %s', (before, after) => {
    expect(groupIdentity(group({ clients: [after] }))).toBe(
      groupIdentity(group({ clients: [before] })),
    );
  });

  it.each([
    ['type', { type: 'consumer' as const }],
    ['protocol', { protocol: 'sticky' }],
    ['topics', { topics: ['t', 'u'] }],
    ['client ids', { clients: ['totals-1.5'] }],
  ])("contains the group's %s", (_what, more) => {
    expect(groupIdentity(group(more))).not.toBe(groupIdentity(group()));
  });

  it('is not readable while a classic group rebalances, so the group counts as not running', () => {
    const rebalancing = group({ state: 'PreparingRebalance', topics: [], protocol: '' });
    expect(membersOf(rebalancing)).toEqual([]);
    expect(groupIdentity(rebalancing)).toBe(groupIdentity(group({ members: [], state: 'Empty' })));
  });
});

describe('the version of a plugin', () => {
  const rest = (version: string | null, connect = '4.1.0') => ({
    plugins: () => Promise.resolve([{ class: 'io.x.Source', version }]),
    version: () => Promise.resolve(connect),
  });

  it('includes the version of Kafka Connect, whose converters write the records', async () => {
    expect(await pluginVersion(rest('3.4'), 'io.x.Source')).toBe(
      'io.x.Source 3.4 on Kafka Connect 4.1.0',
    );
  });

  it('is unknown if Kafka Connect does not name it', async () => {
    for (const [from, name] of [
      [rest(null), 'io.x.Source'],
      [rest('undefined'), 'io.x.Source'],
      [rest('3.4', ''), 'io.x.Source'],
      [rest('3.4'), 'io.y.Other'],
      [rest('3.4'), undefined],
    ] as const)
      expect(await pluginVersion(from, name)).toBe(UNKNOWN_IDENTITY);
  });
});
