// Tests `sluice compare`, which needs no migration. Records may still be on their way to the topic.
// So a comparison fails only if a barrier proves that the records have arrived.
import { describe, expect, it } from 'vitest';
import { judgedBy } from '../../src/activities/windows/compare-only/index.js';
import {
  barrierOf,
  markBy,
  withoutBarrier,
} from '../../src/activities/windows/compare-only/slot-barrier.js';
import type { ExistingBarrier } from '../../src/domain/evidence/comparison-document.js';
import { connectorProblem } from '../../src/activities/windows/compare-only/existing-connector.js';
import { measured } from '../../src/activities/windows/subject-outcome.js';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { NO_COUNTS, type Counts } from '../../src/domain/evidence/counts.js';
import { aPlan } from '../support/builders.js';

const SLOT: ExistingBarrier = { kind: 'slot', slot: 's', proves: '' };
const result = (counts: Partial<Counts>) =>
  measured({
    subject: 'public.accounts',
    mode: 'exact',
    counts: { ...NO_COUNTS, ...counts },
    proofs: { barrier: null, countedRows: 5, readRows: 5, canaryPlanted: 1, canaryFound: 1 },
    differences: [],
    position: '0/1',
    durationMs: 1,
  });

/** A server that returns these columns for its slot. Null means that it has no such slot. */
const server = (slot: Record<string, string | null> | null) =>
  ({
    query: (sql: string) =>
      Promise.resolve({
        rows: sql.includes('pg_replication_slots')
          ? slot === null
            ? []
            : [{ restart_lsn: '0/1', wal_status: 'reserved', ...slot }]
          : [{ name: 'shop', lsn: '0/20' }],
      }),
  }) as never;

describe('a comparison', () => {
  it('proves differences only with a slot, because otherwise records may still be on their way', () => {
    const differing = result({ matched: 4, missing: 1 });
    expect(judgedBy(SLOT, differing).verdict.verdict).toBe('failed');
    expect(judgedBy(withoutBarrier('none is named'), differing)).toMatchObject({
      counts: { missing: 1 },
      verdict: { verdict: 'inconclusive', reason: expect.stringMatching(/missing 1 .* in flight/) },
    });
    const equal = result({ matched: 5 });
    expect(judgedBy(withoutBarrier('none is named'), equal)).toBe(equal);
  });

  it('fails only if differences outnumber unreadable records, each of which may explain one difference', () => {
    expect(judgedBy(SLOT, result({ missing: 5, unknown: 5 })).verdict.verdict).toBe('inconclusive');
    expect(judgedBy(SLOT, result({ missing: 5, unknown: 4 })).verdict.verdict).toBe('failed');
  });

  it('does not use a slot that is missing, lost, or in a different database', async () => {
    const asked = (slot: Record<string, string | null> | null, isNamed = true) =>
      barrierOf(server(slot), 'cdc', isNamed);
    expect(await asked({ database: 'shop' })).toMatchObject({ kind: 'slot', slot: 'cdc' });
    expect(await asked(null)).toMatchObject({
      unusable: expect.stringMatching(/no longer exists/),
    });
    expect(await asked({ database: 'shop', wal_status: 'lost' })).toHaveProperty('unusable');
    expect(await asked({ database: 'other' })).toMatchObject({
      unusable: expect.stringMatching(/database other, but the tables are in shop/),
    });
    // here Sluice derived the name of the slot from the spec, so the slot may never have existed
    expect(await asked(null, false)).toMatchObject({ kind: 'none' });
    expect(await barrierOf(server(null), null, false)).toMatchObject({ kind: 'none' });
  });

  it('waits for the slot up to the time limit, and then reports why the slot is behind', async () => {
    const reached = async (confirmed: string, active: string | null = '7') => {
      const side = server({ confirmed_flush_lsn: confirmed, active_pid: active });
      const mark = await markBy(SLOT, { withinMs: 1, marks: false })({
        snapshot: side,
        side,
        token: '',
      });
      return mark.reached(Date.now() + 60_000);
    };
    expect(await reached('0/20')).toBe(null);
    expect(await reached('0/1F')).toMatch(
      /acknowledged 0\/1F, but 0\/20 is needed; this was still so at the time limit$/,
    );
    expect(await reached('0/1F', null)).toMatch(/no process reads the slot$/);
  });

  it('writes markers only if the caller allows it', async () => {
    const written = async (marks: boolean) => {
      const said: string[] = [];
      const { query } = server({ confirmed_flush_lsn: '0/1', active_pid: '7' }) as {
        query: (sql: string) => object;
      };
      const side = { query: (sql: string) => (said.push(sql), query(sql)) } as never;
      const mark = await markBy(SLOT, { withinMs: 1, marks })({ snapshot: side, side, token: '' });
      await mark.reached(Date.now() + 1);
      return said.filter((sql) => sql.includes('emit_message')).length;
    };
    expect([await written(true), await written(false)]).toEqual([1, 0]);
  });

  it('reports a missing connector, and settings of an existing one with which it cannot compare', async () => {
    const plan = aPlan();
    const stored = debeziumPostgresConfig(plan);
    const asked = (config: Record<string, string> | null) =>
      connectorProblem({ config: () => Promise.resolve(config) }, plan, 'cdc');
    expect(await asked(stored)).toBe(null);
    expect(await asked(null)).toMatch(/connector cdc does not exist/);
    const other = { ...stored, 'slot.name': 'x', 'message.key.columns': 'public.accounts:note' };
    expect(await asked(other)).toMatch(
      /slot\.name is x, not sluice_bank, message\.key\.columns is public\.accounts:note, not \(none\)/,
    );
    const placeholder = 'unavailable.value.placeholder'; // for TOASTed values that did not change
    expect(await asked({ ...stored, [placeholder]: 'n/a' })).toMatch(
      /unavailable\.value\.placeholder is n\/a, not __debezium_unavailable_value/,
    );
    expect(await asked({ ...stored, [placeholder]: '__debezium_unavailable_value' })).toBe(null);
  });
});
