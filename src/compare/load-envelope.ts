// Reads the parts of a connector's record that show how an initial load went: the operation, the row
// and the WAL position. It does not need the table's columns.
import { walkObject } from './enc/json-scan.js';
import { Undecodable } from './undecodable.js';

export interface LoadEnvelope {
  /** `r` for a row that a load read. */
  readonly op: string;
  /** The JSON of the row after the change. It is the text `null` if the row was deleted. */
  readonly after: Buffer;
  /** The WAL position of the change, or of the load's scan. Null if the record has none. */
  readonly position: bigint | null;
}

/** Reads a record's value. Returns null if it cannot be read. The windows report such a record. */
export function loadEnvelope(value: Buffer): LoadEnvelope | null {
  let op = '';
  let after: Buffer | null = null;
  let position: bigint | null = null;
  const read = (name: string, start: number, end: number): void => {
    if (name === 'op') op = value.toString('latin1', start + 1, end - 1);
    else if (name === 'after') after = value.subarray(start, end);
    else if (name === 'source')
      walkObject(value, start, end, (member, from, to) => {
        if (member === 'lsn') position = positionIn(value.toString('latin1', from, to));
      });
  };
  try {
    walkObject(value, 0, value.length, read);
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    return null;
  }
  return after === null || op === '' ? null : { op, after, position };
}

const positionIn = (text: string): bigint | null => (/^\d+$/.test(text) ? BigInt(text) : null);
