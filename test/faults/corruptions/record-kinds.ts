// Lists what a foreign producer (one other than the connector) writes to the topic. Examples are
// tombstones, wrong keys, old records, records in the wrong partition, and unreadable records.
import type { DifferenceClass } from '../../../src/domain/evidence/window.js';
import { envelope } from '../../support/rows.js';
import { STRANGE, rowsAgain } from './ledger-table.js';
import { kindsOf, type Corrupted, type CountsWanted, type Kind } from './kinds.js';
import { keyOf, type Found, type Lab, type Sent } from './lab.js';
import { notCompacted } from './topic-policy.js';

interface Envelope {
  readonly after: Readonly<Record<string, unknown>>;
}
const imageOf = ({ value }: Found): string => JSON.stringify((JSON.parse(value) as Envelope).after);
const otherPartition = ({ partition }: Found): number => 1 - partition;

/**
 * Returns the wanted counts and the undo. In the undo, the application changes the rows, so that
 * correct records follow the foreign ones.
 */
const touched = (
  { client }: Lab,
  ids: readonly number[],
  counts: CountsWanted,
  shown?: DifferenceClass,
): Corrupted => ({
  wanted: { counts, ...(shown ? { shown } : {}) },
  undo: () => client.query(`UPDATE ledger SET id = id WHERE id IN (${ids.join(', ')})`),
});

/** Tombstones and deletes for rows whose only record is from the initial load. */
export const LOST_ROWS: readonly Kind[] = kindsOf({
  'a tombstone without a delete': async (lab, id) => {
    await lab.send({ key: keyOf(id), value: null });
    return touched(lab, [id], { missing: 1 });
  },
  'a delete that never happened': async (lab, id) => {
    const image = imageOf(await lab.lastRecord(id));
    const value = envelope('d', image, await lab.transaction()).toString();
    await lab.send({ key: keyOf(id), value });
    return touched(lab, [id], { missing: 1 });
  },
});

const HEALING = kindsOf({
  'three tombstones': async (lab, id) => {
    const ids = [id, id + 1, id + 2];
    await lab.send(...ids.map((one) => ({ key: keyOf(one), value: null })));
    return touched(lab, ids, { missing: 3 });
  },
  'a record with a wrong value': async (lab, id) => {
    const { key, value } = await lab.lastRecord(id);
    await lab.send({ key, value: value.replace('"account":"Acc', '"account":"acc') });
    return touched(lab, [id], { mismatched: 1 }, 'mismatched');
  },
  'a row that never existed': async (lab, id) => {
    const image = imageOf(await lab.lastRecord(id)).replace(`"id":${id}`, `"id":${STRANGE + id}`);
    const value = envelope('c', image, await lab.transaction()).toString();
    await lab.send({ key: keyOf(STRANGE + id), value });
    return {
      wanted: { counts: { extraneous: 1 } },
      undo: () => lab.send({ key: keyOf(STRANGE + id), value: null }),
    };
  },
  'an older version delivered again': async (lab, id) => {
    await lab.client.query(`UPDATE ledger SET note = 'older' WHERE id = ${id}`);
    await lab.nextWindow('the older version');
    const { key, value } = await lab.lastRecord(id);
    await lab.client.query(`UPDATE ledger SET note = 'newer' WHERE id = ${id}`);
    await lab.nextWindow('the newer version');
    await lab.send({ key, value });
    return {
      wanted: { counts: { mismatched: 1 }, shown: 'stale' },
      undo: () => lab.client.query(`DELETE FROM ledger WHERE id = ${id}; ${rowsAgain(id, id)}`),
    };
  },
});

/**
 * Writes a record, so that windows count its key as unknown. Later records of the key do not change
 * that until compaction has removed this record.
 */
const refused =
  (says: RegExp, make: (lab: Lab, record: Found, id: number) => Sent): Kind['corrupt'] =>
  async (lab, id) => {
    await lab.send(make(lab, await lab.lastRecord(id), id));
    return {
      wanted: { counts: { unknown: 1 }, shown: 'undecodable', says },
      undo: 'new generation',
    };
  };

const FOREIGN_KEY = /the record's key is not the key of its row/;
const MISPLACED = /in a different partition than its key belongs to/;
const UNREADABLE = /no change event with a readable key/;

const REFUSED = kindsOf({
  'a record under the key of a different row': refused(FOREIGN_KEY, (_lab, { value }, id) => ({
    key: keyOf(id + 1),
    value,
  })),
  'a record under a key that no row has': refused(FOREIGN_KEY, (_lab, { value }, id) => ({
    key: keyOf(STRANGE + id),
    value,
  })),
  'a correct record in the wrong partition': refused(MISPLACED, (_lab, record) => ({
    ...record,
    partition: otherPartition(record),
  })),
  'a tombstone in the wrong partition': refused(MISPLACED, (_lab, record) => ({
    key: record.key,
    value: null,
    partition: otherPartition(record),
  })),
  'a record without a key': async (lab, id) => {
    const { value } = await lab.lastRecord(id);
    const topic = await lab.topic();
    await lab.unseen(() => notCompacted(lab, topic, () => lab.send({ key: null, value })));
    return {
      wanted: {
        counts: { unknown: 1 },
        shown: 'undecodable',
        says: /a record without a key/,
      },
      undo: 'new generation',
    };
  },
  'a record whose key is not JSON': refused(UNREADABLE, (_lab, { value }, id) => ({
    key: String(id),
    value,
  })),
  'a tombstone whose key cannot be read': refused(UNREADABLE, (_lab, _record, id) => ({
    key: `Struct{id=${id}}`,
    value: null,
  })),
  'a record whose value is cut off': refused(UNREADABLE, (_lab, { key, value }) => ({
    key,
    value: value.slice(0, 150),
  })),
  'a record without its transaction id': refused(UNREADABLE, (_lab, record) => ({
    key: record.key,
    value: envelope('u', imageOf(record), 1).toString().replace('"txId":1,', '"txId":null,'),
  })),
  'a record whose operation is not a change of a row': refused(
    UNREADABLE,
    (_lab, { key, value }) => ({
      key,
      value: value.replace(/"op":"."/, '"op":"t"'),
    }),
  ),
});

export const RECORD_KINDS: readonly Kind[] = [...HEALING, ...REFUSED];
