// Describes the last record of a key in the first two words of the key's note. A note consists of
// the three extra words that a key table keeps for each key. The two words contain the record's
// partition and offset, whether its row could be decoded, and whether a window proved it equal.
import { Problem } from '../domain/failure.js';

/** The result of decoding a record's row. */
export const ROW = { decoded: 0, undecodable: 1, wrongType: 2, deleted: 3 } as const;
export type RowKind = (typeof ROW)[keyof typeof ROW];

const KIND_BITS = 2;
const PROVEN = 1 << KIND_BITS;
const PARTITION_SHIFT = KIND_BITS + 1;
const PARTITION_BITS = 13;
const HIGH_SHIFT = PARTITION_SHIFT + PARTITION_BITS;
const TWO_32 = 4294967296;
const MOST_PARTITIONS = 1 << PARTITION_BITS;
const MOST_OFFSET = 2 ** 48;

/** The place of a record in its topic. */
export interface RecordPlace {
  readonly partition: number;
  readonly offset: number;
}

/** Returns the first word of a note. Throws Problem `unsupported` if the place does not fit. */
export function firstWord({ partition, offset }: RecordPlace, kind: RowKind): number {
  if (partition >= MOST_PARTITIONS || offset >= MOST_OFFSET)
    throw new Problem(
      'unsupported',
      `a record is at partition ${partition}, offset ${offset}, but only ${MOST_PARTITIONS} partitions and offsets below ${MOST_OFFSET} can be compared`,
    );
  const high = Math.floor(offset / TWO_32);
  return (high << HIGH_SHIFT) | (partition << PARTITION_SHIFT) | kind;
}

/** Returns the second word of a note. */
export const secondWord = ({ offset }: RecordPlace): number => offset | 0;

export const kindOf = (first: number): RowKind => (first & (PROVEN - 1)) as RowKind;
export const isProven = (first: number): boolean => (first & PROVEN) !== 0;
export const asProven = (first: number): number => first | PROVEN;

export const placeOf = (first: number, second: number): RecordPlace => ({
  partition: (first >>> PARTITION_SHIFT) & (MOST_PARTITIONS - 1),
  offset: (first >>> HIGH_SHIFT) * TWO_32 + (second >>> 0),
});
