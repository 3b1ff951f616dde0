// Tests the decoder of pgoutput with bytes that PostgreSQL sent. Also tests which changes a witness
// counts.
import { describe, expect, it } from 'vitest';
import { decodeMessage, type LogMessage } from '../../src/clients/postgres/pgoutput.js';
import { WitnessLog } from '../../src/clients/postgres/witness-log.js';
import { MOST_WITNESSED } from '../../src/domain/evidence/witness.js';
import { parseSnapshot } from '../../src/domain/values/position.js';

const decode = (hex: string): LogMessage => decodeMessage(Buffer.from(hex, 'hex'));
const OID = 0x4160;

const BEGIN = '42000000000d864d3000030457a7cefc73000003b0';
const COMMIT = '4300000000000d864d30000000000d864d6000030457a7cefc73';
const RELATION =
  '52000041607075626c696300742078006400030169640000000017ffffffff00760000000019ffffffff00770000000019ffffffff';
const RELATION_FULL =
  '52000041607075626c696300742078006600030169640000000017ffffffff01760000000019ffffffff01770000000019ffffffff';
const INSERT = '49000041604e0003740000000133740000000162740000000163';
const UPDATE_TOAST = '55000041604e00037400000001316e75';
const UPDATE_KEY = '55000041604b00037400000001316e6e4e00037400000001326e75';
const UPDATE_FULL =
  '55000041604f00037400000001337400000001627400000001634e0003740000000133740000000164740000000163';
const DELETE_FULL = '44000041604f0003740000000133740000000164740000000163';
const MARKER = '4d01000000000d865460707265206669780000000008636f6e0a74656e74';
const TRUNCATE = '54000000010000004160';

const columns = (isIdentity: boolean) => [
  { name: 'id', isIdentity: true, type: 23 },
  { name: 'v', isIdentity, type: 25 },
  { name: 'w', isIdentity, type: 25 },
];

describe('decodeMessage', () => {
  it.each<[string, string, LogMessage]>([
    ['a begin', BEGIN, { kind: 'begin', txId: 944 }],
    ['a commit', COMMIT, { kind: 'commit' }],
    [
      'a relation with the default identity',
      RELATION,
      {
        kind: 'relation',
        relation: { oid: OID, name: 'public.t x', identity: 'd', columns: columns(false) },
      },
    ],
    [
      'a relation with the full identity',
      RELATION_FULL,
      {
        kind: 'relation',
        relation: { oid: OID, name: 'public.t x', identity: 'f', columns: columns(true) },
      },
    ],
    ['an insert', INSERT, { kind: 'insert', oid: OID, row: ['3', 'b', 'c'] }],
    [
      'an update that does not change a TOAST value and sets another to NULL',
      UPDATE_TOAST,
      { kind: 'update', oid: OID, old: null, row: ['1', null, undefined] },
    ],
    [
      'an update of the key',
      UPDATE_KEY,
      { kind: 'update', oid: OID, old: ['1', null, null], row: ['2', null, undefined] },
    ],
    [
      'an update with the whole old row',
      UPDATE_FULL,
      { kind: 'update', oid: OID, old: ['3', 'b', 'c'], row: ['3', 'd', 'c'] },
    ],
    ['a delete', DELETE_FULL, { kind: 'delete', oid: OID, old: ['3', 'd', 'c'] }],
    ['a marker', MARKER, { kind: 'marker', prefix: 'pre fix', content: 'con\ntent' }],
    ['a truncate', TRUNCATE, { kind: 'truncate', oids: [OID] }],
  ])('decodes %s', (_, hex, message) => {
    expect(decode(hex)).toEqual(message);
  });

  it('refuses a message that is cut off, has extra bytes, or is of an unknown kind', () => {
    const all = [BEGIN, COMMIT, RELATION, INSERT, UPDATE_KEY, DELETE_FULL, MARKER, TRUNCATE];
    for (const hex of all) {
      for (let bytes = 1; bytes < hex.length / 2; bytes += 1)
        expect(() => decode(hex.slice(0, bytes * 2)), hex).toThrow(/pgoutput/);
      expect(() => decode(`${hex}00`)).toThrow(/bytes/);
    }
    expect(() => decode(INSERT.replace('4e', '4b'))).toThrow(/unknown kind/);
    expect(() => decode(INSERT.replace('74', '62'))).toThrow(/unknown kind/);
    expect(() => decode('53')).toThrow(/unknown kind "S"/);
  });
});

const logOf = (...messages: string[]): WitnessLog => {
  const log = new WitnessLog([{ table: 't', key: 'id', oids: [OID] }]);
  for (const hex of messages) log.add(decode(hex));
  return log;
};

describe('WitnessLog', () => {
  it('collects the old and the new key of an update, and no keys of other relations', () => {
    const log = logOf(BEGIN, RELATION, INSERT, UPDATE_KEY, COMMIT);
    expect([...log.changedIn('t')]).toEqual(['3', '1', '2']);
    expect(log.problem).toBeNull();
    expect(logOf(BEGIN, INSERT.replace('4160', '4161')).problem).toBeNull();
    expect(logOf(TRUNCATE.replace('4160', '4161')).problem).toBeNull();
  });

  it('counts only rows of transactions that the later of two snapshots sees, but the earlier one does not', () => {
    const log = logOf(BEGIN, RELATION_FULL, INSERT, DELETE_FULL, INSERT, COMMIT);
    const counted = (before: string, after: string) =>
      log.rowChange('t', parseSnapshot(before), parseSnapshot(after));
    expect(counted('944:944:', '945:945:')).toEqual({ inserted: 2, deleted: 1 });
    expect(counted('945:945:', '946:946:')).toEqual({ inserted: 0, deleted: 0 });
    expect(counted('944:946:944', '944:946:944')).toEqual({ inserted: 0, deleted: 0 });
    expect(counted('944:946:944', '946:946:')).toEqual({ inserted: 2, deleted: 1 });
  });

  it('forgets a key if the given snapshot sees its latest change, and keeps all other changed keys', () => {
    const log = logOf(BEGIN, RELATION, INSERT, UPDATE_KEY, COMMIT);
    log.add({ kind: 'begin', txId: 950 });
    log.add({ kind: 'update', oid: OID, old: null, row: ['2'] });
    log.add({ kind: 'insert', oid: OID, row: ['7'] });
    log.forget(parseSnapshot('944:960:944'));
    expect([...log.changedIn('t')].sort()).toEqual(['1', '3']);
    log.forget(parseSnapshot('945:945:'));
    expect([...log.changedIn('t')]).toEqual([]);
  });

  it.each([
    ['a row without its relation', [BEGIN, INSERT], /without its description or transaction/],
    ['a row outside a transaction', [RELATION, INSERT], /without its description or transaction/],
    ['a truncate', [TRUNCATE], /t was truncated/],
    ['a changed relation', [RELATION, RELATION_FULL], /definition of t changed/],
    [
      'a relation without a replica identity',
      [RELATION.replace('006400', '006e00')],
      /does not name the key id/,
    ],
    [
      'a relation with an index as its replica identity',
      [RELATION.replace('006400', '006900')],
      /does not name the key id/,
    ],
    [
      'a relation with more columns in its replica identity',
      [RELATION.replace('ff0076', 'ff0176')],
      /replica identity of t does not name the key id/,
    ],
    [
      'a key that was not sent',
      [BEGIN, RELATION, INSERT.replace('740000000133', '75')],
      /does not name its key/,
    ],
  ])('is unusable after %s', (_, messages, problem) => {
    expect(logOf(...messages).problem).toMatch(problem);
  });

  it('is unusable after more changes than it may hold, and keeps its first problem', () => {
    const log = logOf(BEGIN, RELATION);
    for (let key = 0; key <= MOST_WITNESSED; key += 1)
      log.add({ kind: 'update', oid: OID, old: null, row: [String(key)] });
    log.fail('another one');
    expect(log.problem).toBe('more than 200000 changes since the full pass');
  });

  it('accepts a repeated description of a relation if nothing changed', () => {
    expect(logOf(RELATION, RELATION).problem).toBeNull();
  });
});
