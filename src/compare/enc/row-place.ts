// Reads the ctid field that comes before the columns of a COPY BINARY row. The field contains its
// size, and then the block and the item of the row.
import { int32At, uint16At } from '../../domain/values/bytes.js';

export const TID_FIELD_BYTES = 4 + 6;

/** Reads the block from the ctid field at `at`. */
export const blockAt = (b: Uint8Array, at: number): number => int32At(b, at + 4);

/** Reads the item from the ctid field at `at`. */
export const itemAt = (b: Uint8Array, at: number): number => uint16At(b, at + 8);

/** Reads the ctid field at `at` and prints it as Postgres does. */
export const tidAt = (b: Uint8Array, at: number): string => tidText(blockAt(b, at), itemAt(b, at));

export const tidText = (block: number, item: number): string => `(${block >>> 0},${item})`;
