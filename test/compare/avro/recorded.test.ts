// Decodes records that a live Debezium wrote with the Avro converter. Each must have the same
// values and hash as the record that the JSON converter wrote for the same change. The script
// test/registry/record.ts recorded them.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AvroRecords } from '../../../src/compare/avro/avro-records.js';
import { canonFromJson } from '../../../src/compare/column-types.js';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { CHANGE_WORDS, ChangeEncoder, Changes, KIND } from '../../../src/compare/enc/change.js';
import { parseJsonLossless } from '../../../src/compare/json.js';

interface Recorded {
  readonly schemas: Readonly<Record<string, string>>;
  readonly tables: readonly {
    readonly table: string;
    readonly columns: readonly (readonly [name: string, type: string])[];
    readonly records: readonly {
      readonly key: string;
      readonly value: string | null;
      readonly json: readonly [key: string, value: string | null];
    }[];
  }[];
}

const recorded = JSON.parse(
  readFileSync(new URL('./recorded.json', import.meta.url), 'utf8'),
) as Recorded;
const schemas = Object.entries(recorded.schemas);

/** Decodes the records of a table. Returns the texts of keys and values. */
function decoded({ records }: Recorded['tables'][number]): [key: string, value: string | null][] {
  const decoder = new AvroRecords();
  for (const [id, schema] of schemas) decoder.learn(Number(id), schema);
  decoder.begin({ partition: 0, partitions: 0 });
  for (const [offset, { key, value }] of records.entries()) {
    const [one, two] = [Buffer.from(key, 'base64'), Buffer.from(value ?? '', 'base64')];
    const both = Buffer.concat([one, two]);
    decoder.add(offset, both, 0, one.length, value === null ? -1 : one.length, both.length);
  }
  const found: [string, string | null][] = [];
  decoder.visit((_offset, b, keyStart, keyEnd, start, end) => {
    found.push([
      b.toString('utf8', keyStart, keyEnd),
      start < 0 ? null : b.toString('utf8', start, end),
    ]);
  });
  return found;
}

interface Event {
  readonly op: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

describe.each(recorded.tables.map((table) => [table.table, table] as const))(
  'an Avro record of a live Debezium for table %s',
  (_name, table) => {
    const events = table.records.map(({ json }, at): [Event | null, Event | null] => {
      const parse = (text: string | null): Event | null =>
        text === null ? null : (parseJsonLossless(text) as Event);
      return [parse(decoded(table)[at]![1]), parse(json[1])];
    });

    it.each(table.columns)('has in column %s the same value as in JSON (%s)', (name, type) => {
      let compared = 0;
      for (const [avro, json] of events) {
        expect(avro?.op).toBe(json?.op);
        const [mine, theirs] = [avro?.after, json?.after];
        expect(mine?.[name] === undefined).toBe(theirs?.[name] === undefined);
        if (!mine || !theirs || theirs[name] === undefined) continue;
        compared += 1;
        expect(canonFromJson(type, mine[name])).toBe(canonFromJson(type, theirs[name]));
      }
      expect(compared).toBeGreaterThan(0);
    });

    it('has the key of its row, and the same kind and hash as the change in JSON', () => {
      const columns = table.columns.map(([name, type]) => ({ name, type }));
      const shape: Shape = {
        key: table.table === 'evolving' ? ['id', 'region'] : ['id'],
        columns,
      };
      const [avro, json] = [decoded(table), table.records.map((record) => record.json)].map(
        (texts) => changesOf(shape, texts),
      );
      expect(avro!.count).toBe(table.records.length);
      expect(avro!.count).toBe(json!.count);
      const words = (changes: Changes): number[][] =>
        Array.from({ length: changes.count }, (_, at) => [
          ...changes.words.subarray(at * CHANGE_WORDS, at * CHANGE_WORDS + HASHED_WORDS),
        ]);
      expect(words(avro!)).toEqual(words(json!));
      expect(words(avro!).some(([kind]) => kind === KIND.unreadable)).toBe(false);
    });
  },
);

/**
 * The number of words for the kind, the key and the row of a change. The words after them are about
 * the transaction, and this test does not compare them.
 */
const HASHED_WORDS = 7;

function changesOf(shape: Shape, texts: readonly (readonly [string, string | null])[]): Changes {
  const [encoder, changes] = [new ChangeEncoder(shape), new Changes()];
  const place = { partition: 0, partitions: 0 };
  for (const [offset, [key, value]] of texts.entries()) {
    const bytes = Buffer.from(key + (value ?? ''));
    const middle = Buffer.byteLength(key);
    const start = value === null ? -1 : middle;
    encoder.encode(place, offset, bytes, 0, middle, start, bytes.length, changes);
  }
  return changes;
}
