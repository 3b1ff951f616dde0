import { describe, expect, it } from 'vitest';
import { applyWaivers, openChecks, type Check } from '../../src/domain/evidence/check.js';
import { durationMs, sizeBytes } from '../../src/domain/values/duration.js';
import { factsChange, evidenceIdOf } from '../../src/domain/evidence/epoch.js';
import {
  namesOf,
  parseTableName,
  quoteLiteral,
  tableTopic,
} from '../../src/domain/migration/names.js';
import { PHASES, mayFollow } from '../../src/domain/migration/phase.js';
import {
  compareLsn,
  isVisible,
  lsnDistance,
  lsnFromBigInt,
  lsnToBigInt,
  parseSnapshot,
} from '../../src/domain/values/position.js';
import { foldNotifications } from '../../src/domain/capture/snapshot-progress.js';
import { worst } from '../../src/domain/evidence/verdict.js';
import {
  NO_COUNTS,
  judgeComparison,
  provenEarlierOf,
  rowsReadOf,
  type Proofs,
} from '../../src/domain/evidence/window.js';
import { aSpec } from '../support/builders.js';

const PROVEN: Proofs = {
  barrier: null,
  countedRows: 3,
  readRows: 3,
  canaryPlanted: 2,
  canaryFound: 2,
};

describe('a window may say passed', () => {
  it('only with every condition proven and no difference', () => {
    expect(judgeComparison({ ...NO_COUNTS, matched: 3 }, PROVEN)).toEqual({
      verdict: 'passed',
      reason: '0 differences in 3 keys',
    });
  });
  it('with unread rows only if an earlier window proved them, and says which rows it read', () => {
    const incremental: Proofs = { ...PROVEN, readRows: 1, provenEarlier: 2 };
    expect(judgeComparison({ ...NO_COUNTS, matched: 3 }, incremental).verdict).toBe('passed');
    expect([rowsReadOf(incremental), provenEarlierOf(incremental)]).toEqual([1, 2]);
    // this window read them itself, in earlier snapshots
    const walked: Proofs = { ...incremental, walkedRows: 3 };
    expect([rowsReadOf(walked), provenEarlierOf(walked)]).toEqual([4, 0]);
  });
  it('without a count if none was made, and then the evidence claims none', () => {
    expect(
      judgeComparison({ ...NO_COUNTS, matched: 3 }, { ...PROVEN, countedRows: null }).verdict,
    ).toBe('passed');
  });
  it.each([
    [
      'a difference',
      { ...NO_COUNTS, matched: 2, mismatched: 1 },
      PROVEN,
      'failed',
      'mismatched 1 rows > 0 allowed',
    ],
    ['a missing row', { ...NO_COUNTS, missing: 3 }, PROVEN, 'failed', 'missing 3 rows > 0 allowed'],
    [
      'an unknown key',
      { ...NO_COUNTS, matched: 2, unknown: 1 },
      PROVEN,
      'inconclusive',
      'unknown 1 keys > 0 allowed',
    ],
    [
      'a key that changed in every round',
      { ...NO_COUNTS, matched: 2, unstable: 1 },
      PROVEN,
      'inconclusive',
      'unstable 1 keys > 0',
    ],
    [
      'an unproven barrier',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, barrier: 'barrier: 1 < 2' },
      'inconclusive',
      'barrier: 1 < 2',
    ],
    [
      'rows that were not read',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, readRows: 2 },
      'errored',
      '2 rows were read, but the same snapshot has 3 rows',
    ],
    [
      'rows that were not read because earlier ones differed',
      { ...NO_COUNTS, mismatched: 2 },
      { ...PROVEN, readRows: 2, isStopped: true },
      'failed',
      'stopped after 2 of 3 rows',
    ],
    [
      'rows that were not read because earlier ones are unknown',
      { ...NO_COUNTS, unknown: 2 },
      { ...PROVEN, readRows: 2, isStopped: true },
      'inconclusive',
      'unknown 2 keys',
    ],
    [
      'rows that were neither read nor proven earlier',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, readRows: 1, provenEarlier: 1 },
      'errored',
      '1 rows were read and 1 were proven earlier, but the same snapshot has 3 rows',
    ],
    [
      'a stop without a difference',
      { ...NO_COUNTS, matched: 2 },
      { ...PROVEN, readRows: 2, isStopped: true },
      'inconclusive',
      'stopped after 2',
    ],
    [
      'a blind comparator',
      { ...NO_COUNTS, matched: 3 },
      { ...PROVEN, canaryFound: 1 },
      'errored',
      'canary found 1 of 2 planted corruptions',
    ],
  ] as const)('not with %s', (_case, counts, proofs, verdict, reason) => {
    const assessed = judgeComparison(counts, proofs);
    expect(assessed.verdict).toBe(verdict);
    expect(assessed.reason).toContain(reason);
  });
  it('a failed canary outranks the differences that the comparator reports', () => {
    expect(
      judgeComparison({ ...NO_COUNTS, missing: 1 }, { ...PROVEN, canaryFound: 0 }).verdict,
    ).toBe('errored');
  });
});

describe('the overall verdict', () => {
  it('is the worst one, and failed outranks unknown', () => {
    const of = (verdict: 'passed' | 'failed' | 'inconclusive' | 'errored') => ({
      verdict,
      reason: verdict,
    });
    expect(worst([of('passed'), of('errored'), of('failed')]).verdict).toBe('failed');
    expect(worst([of('passed'), of('inconclusive')]).verdict).toBe('inconclusive');
    expect(worst([of('passed'), of('passed')]).verdict).toBe('passed');
  });
  it('is inconclusive if there are no verdicts', () =>
    expect(worst([]).verdict).toBe('inconclusive'));
});

describe('positions', () => {
  it('are ordered across the 32-bit border', () => {
    expect(compareLsn('0/FFFFFFFF', '1/0')).toBe(-1);
    expect(lsnDistance('0/FFFFFFFF', '1/0')).toBe(1);
    expect(lsnDistance('1/0', '0/0')).toBe(0);
    expect(lsnFromBigInt(lsnToBigInt('16/B374D848'))).toBe('16/B374D848');
    expect(() => lsnToBigInt('16-B3')).toThrow('not an LSN');
  });
  it('a snapshot sees what committed before it and not what was in progress', () => {
    const snapshot = parseSnapshot('100:110:103,107');
    expect([99, 102, 109].every((id) => isVisible(id, snapshot))).toBe(true);
    expect([103, 107, 110, 111].some((id) => isVisible(id, snapshot))).toBe(false);
  });
  it('32-bit transaction ids are widened to the nearest epoch, even across a wraparound', () => {
    const epoch = 2 ** 32;
    const snapshot = parseSnapshot(`${3 * epoch + 5}:${3 * epoch + 10}:`);
    expect(isVisible(7, snapshot)).toBe(true);
    expect(isVisible(12, snapshot)).toBe(false);
    expect(isVisible(epoch - 3, snapshot)).toBe(true); // just before the wraparound
    const before = parseSnapshot(`${3 * epoch - 10}:${3 * epoch - 5}:`);
    expect(isVisible(2, before)).toBe(false); // just after the wraparound
  });
});

describe('phases', () => {
  it('follow one another in order', () => {
    expect(mayFollow(null, 'prepare')).toBe(true);
    for (let at = 1; at < PHASES.length - 1; at += 1)
      expect(mayFollow(PHASES[at - 1]!, PHASES[at]!)).toBe(true);
    expect(mayFollow('prepare', 'connect')).toBe(false);
    expect(mayFollow('validate', 'cut-over')).toBe(false);
  });
  it('go back to validate before the commit, to snapshot for a new generation, and to roll-back', () => {
    expect(mayFollow('approve', 'validate') && mayFollow('cut-over', 'validate')).toBe(true);
    expect(mayFollow('validate', 'snapshot')).toBe(true);
    expect(
      mayFollow('soak', 'roll-back') &&
        mayFollow('prepare', 'roll-back') &&
        mayFollow(null, 'roll-back'),
    ).toBe(true);
    expect(mayFollow('complete', 'roll-back')).toBe(false);
    expect(mayFollow('soak', 'validate')).toBe(false);
  });
});

describe('names', () => {
  it('are never reused by a later generation', () => {
    const spec = aSpec({ name: 'daily-revenue' });
    const [first, second] = [namesOf(spec, 1), namesOf(spec, 2)];
    expect(first).toMatchObject({
      slot: 'sluice_daily_revenue',
      connector: 'daily-revenue',
      topicPrefix: 'daily-revenue',
    });
    expect(second).toMatchObject({
      slot: 'sluice_daily_revenue_g2',
      connector: 'daily-revenue-g2',
      topicPrefix: 'daily-revenue.g2',
    });
  });
  it('are parsed exactly or refused, for tables', () => {
    expect(parseTableName('public.orders')).toEqual({ schema: 'public', table: 'orders' });
    expect(parseTableName('"Odd Schema"."a.""b"')).toEqual({ schema: 'Odd Schema', table: 'a."b' });
    for (const bad of [
      'orders',
      'a.b.c',
      'public.Orders',
      'public.orders; drop table x',
      '"a"."b"c',
      '',
    ])
      expect(() => parseTableName(bad)).toThrow();
  });
  it('contain no character that Kafka refuses, for topics', () =>
    expect(tableTopic('p', { schema: 'Odd S', table: 'ä"b' })).toBe('p.Odd_S.__b'));
  it('literals survive quotes and backslashes', () =>
    expect(quoteLiteral("a'b\\c").trim()).toBe("E'a''b\\\\c'"));
});

describe('durations and sizes', () => {
  it('read their units', () => {
    expect([durationMs('30s'), durationMs('5m'), durationMs('2h'), durationMs('7d')]).toEqual([
      30_000, 300_000, 7_200_000, 604_800_000,
    ]);
    expect(sizeBytes('10GiB')).toBe(10 * 1024 ** 3);
    expect(() => durationMs('5 minutes')).toThrow();
  });
});

describe('epochs', () => {
  it('begin with any change of facts that evidence depends on, and not with the first facts', () => {
    expect(factsChange(null, { slot: '1' })).toBeNull();
    expect(factsChange({ slot: '1' }, { slot: '1' })).toBeNull();
    expect(factsChange({ slot: '1' }, { slot: '2' })).toEqual({
      epoch: 'slot: 1 → 2',
      fullWindow: null,
      restart: null,
    });
    expect(factsChange({ slot: '1' }, {})).toEqual({
      epoch: 'slot: 1 → (absent)',
      fullWindow: null,
      restart: null,
    });
  });
  it('name their evidence', () => expect(evidenceIdOf(2, 3, 'abcdef0123')).toBe('ev-2.3-abcdef01'));
});

describe('waivers', () => {
  const check = (name: Check['name'], status: Check['status']): Check => ({
    name,
    subject: '',
    status,
    detail: '',
    remedy: '',
  });
  const waiver = (name: string, until: string) => ({ check: name, reason: 'we know', until });
  it('open a failed or unknown check until their date, but never one that would lose data', () => {
    const checks = [
      check('source.long-transactions', 'failed'),
      check('table.replica-identity', 'failed'),
      check('connect.config', 'unknown'),
    ];
    const waivers = [
      waiver('source.long-transactions', '2030-01-01T00:00:00Z'),
      waiver('table.replica-identity', '2030-01-01T00:00:00Z'),
      waiver('connect.config', '2020-01-01T00:00:00Z'),
    ];
    expect(
      openChecks(applyWaivers(checks, waivers, '2026-01-01T00:00:00Z')).map((c) => c.name),
    ).toEqual(['table.replica-identity', 'connect.config']);
  });
});

describe('snapshot notifications', () => {
  const scan = (table: string, status = 'SUCCEEDED') => ({
    aggregate_type: 'Initial Snapshot',
    type: 'TABLE_SCAN_COMPLETED',
    additional_data: { scanned_collection: table, total_rows_scanned: '7', status },
  });
  const say = (type: string) => ({ aggregate_type: 'Initial Snapshot', type });
  const fold = (...notifications: Parameters<typeof foldNotifications>[0]) =>
    foldNotifications(notifications, ['public.a', 'public.b'], { 'public.a': 7 }, 'p');
  it('complete when every table was scanned', () => {
    expect(
      fold(say('STARTED'), scan('public.a'), scan('public.b'), say('COMPLETED')),
    ).toMatchObject({ completed: true, failure: null });
  });
  it('reset the progress if the snapshot restarts', () => {
    expect(
      fold(say('STARTED'), scan('public.a'), say('STARTED'), scan('public.b'), say('COMPLETED'))
        .failure,
    ).toContain('without a scan of public.a');
  });
  it('a failed scan is a failure', () =>
    expect(fold(say('STARTED'), scan('public.a', 'SQL_EXCEPTION')).failure).toContain(
      'SQL_EXCEPTION',
    ));
});
