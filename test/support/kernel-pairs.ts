// Gives the same records and rows to both encoders: the kernel in WebAssembly and the reference in
// TypeScript. Returns both results.
import type { Shape } from '../../src/compare/row-comparison.js';
import { ChangeEncoder, CHANGE_WORDS, Changes } from '../../src/compare/enc/change.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { Undecodable } from '../../src/compare/undecodable.js';
import { int32At, uint16At } from '../../src/domain/values/bytes.js';
import { RecordBatch } from '../../src/compare/kernel/record-batch.js';
import { RowBatch } from '../../src/compare/kernel/row-batch.js';
import { TID_FIELD_BYTES } from '../../src/compare/enc/row-place.js';

export interface TopicRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
}

export interface Pair {
  readonly kernel: readonly string[];
  readonly reference: readonly string[];
  /** The number of records or rows that the kernel left to the reference. */
  readonly referred: number;
}

/**
 * Encodes the records in the body of one Kafka batch. The body has other bytes between the records,
 * and is a part of the broker's response. With `isCopied`, it is a separate buffer instead, as for
 * a compressed batch.
 */
export function encodeBoth(
  shape: Shape,
  records: readonly TopicRecord[],
  { partition = 0, partitions = 0, between = '}', isCopied = false } = {},
): Pair {
  const parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer | string | null): [start: number, end: number] => {
    const bytes = Buffer.from(part ?? '');
    parts.push(bytes);
    length += bytes.length;
    return [part === null ? -1 : length - bytes.length, length];
  };
  const places = records.map(({ key, value }) => {
    const place = [...add(key), ...add(value)] as const;
    add(between);
    return place;
  });
  const body = Buffer.concat(parts);
  const place = { partition, partitions };
  const [encoder, batch, expected] = [
    new ChangeEncoder(shape),
    new RecordBatch(shape),
    new Changes(),
  ];
  batch.begin(place, isCopied ? Buffer.alloc(1) : body);
  const taken = isCopied ? body : batch.response;
  places.forEach((at, offset) => {
    encoder.encode(place, offset, body, ...at, expected);
    batch.add(offset, taken, ...at);
  });
  const found = batch.finish();
  return { kernel: changesOf(found), reference: changesOf(expected), referred: batch.referred };
}

const changesOf = ({ words, count }: Changes): string[] =>
  Array.from({ length: count }, (_, at) =>
    words.subarray(at * CHANGE_WORDS, (at + 1) * CHANGE_WORDS).join(),
  );

/**
 * Hashes rows of COPY BINARY, which begin with their ctid. For a row that cannot be encoded, the
 * result is "undecodable".
 */
export function hashBoth(shape: Shape, rows: readonly Buffer[]): Pair {
  const encoder = new RowEncoder(shape);
  const reference = rows.map((row) => {
    try {
      const end = encoder.fromBinary(row, TID_FIELD_BYTES);
      const [high, low] = encoder.row;
      return [...encoder.key, high, low, int32At(row, 4), uint16At(row, 8), end].join();
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      return 'undecodable';
    }
  });
  const kernel: string[] = [];
  let ends: number[] = [];
  const take = (key: Int32Array, high: number, low: number, block: number, item: number): void =>
    void kernel.push([...key, high, low, block, item, ends[kernel.length]].join());
  let referred = 0;
  // A row that cannot be encoded ends its batch, so each such row gets a separate batch.
  for (const group of groupsOf(rows, reference)) {
    const batch = new RowBatch(new RowEncoder(shape), take);
    try {
      ends = [...kernel.map(() => 0), ...group.map((row) => batch.add(row, 0))];
      batch.flush();
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error;
      kernel.push('undecodable');
    }
    referred += batch.referred;
  }
  return { kernel, reference, referred };
}

function groupsOf(rows: readonly Buffer[], reference: readonly string[]): Buffer[][] {
  const groups: Buffer[][] = [[]];
  rows.forEach((row, at) => {
    if (reference[at] === 'undecodable') groups.push([row], []);
    else groups.at(-1)!.push(row);
  });
  return groups;
}
