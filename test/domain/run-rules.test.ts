// Tests the order of phases, the names of objects, epochs, waivers, and the progress that Debezium
// reports for its snapshot.
import { describe, expect, it } from 'vitest';
import { applyWaivers, openChecks, type Check } from '../../src/domain/evidence/check.js';
import { factsChange, evidenceIdOf } from '../../src/domain/evidence/epoch.js';
import {
  namesOf,
  parseTableName,
  quoteLiteral,
  tableTopic,
} from '../../src/domain/migration/names.js';
import { PHASES, mayFollow } from '../../src/domain/migration/phase.js';
import { foldNotifications } from '../../src/domain/capture/snapshot-progress.js';
import { aSpec } from '../support/builders.js';

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
  it('of tables are parsed exactly or refused', () => {
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
  it('of topics contain no character that Kafka refuses', () =>
    expect(tableTopic('p', { schema: 'Odd S', table: 'ä"b' })).toBe('p.Odd_S.__b'));
  it('become SQL literals that keep quotes and backslashes', () =>
    expect(quoteLiteral("a'b\\c").trim()).toBe("E'a''b\\\\c'"));
});

describe('epochs', () => {
  it('begin when a fact such as the slot changes, and not with the first facts', () => {
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
  it('show how a long text changed, from the first word that differs', () => {
    const reads = (topic: string): string => `${'shared, '.repeat(20)}${topic} ${'z'.repeat(200)}`;
    const { epoch } = factsChange({ group: reads('old') }, { group: reads('new') })!;
    expect(epoch).toMatch(/^group: … old z{114} … → … new z{114} …$/);
    const began = factsChange({ group: 'nothing' }, { group: reads('new') })!.epoch;
    expect(began).toMatch(/^group: nothing → (shared, ){15} …$/);
  });
  it('have an evidence id of iteration, epoch and the first 8 characters of the plan hash', () =>
    expect(evidenceIdOf(2, 3, 'abcdef0123')).toBe('ev-2.3-abcdef01'));
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
  it('excuse a failed or unknown check until their date, but never a check that prevents data loss', () => {
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
  it('report the snapshot as completed when every table was scanned', () => {
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
  it('report a failure if a scan failed', () =>
    expect(fold(say('STARTED'), scan('public.a', 'SQL_EXCEPTION')).failure).toContain(
      'SQL_EXCEPTION',
    ));
});
