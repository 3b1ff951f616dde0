// Builds Kafka's Fetch request (version 11) for one partition, and decodes the response. The record
// batches themselves are not decoded.
import { fetchRequest } from './kafkajs-internals.js';
import type { AbortedTransaction } from './record-batch.js';

const MAX_FETCH_BYTES = 8 * 1024 * 1024;
const MAX_WAIT_MS = 100;

/** Returns the call for `connectionPool.send`, which resolves to a `FetchedPartition`. */
export const fetchOf = (
  topic: string,
  partition: number,
  fetchOffset: number,
  isolationLevel: number,
): object => ({
  request: fetchRequest({
    replicaId: -1,
    maxWaitTime: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes: MAX_FETCH_BYTES,
    isolationLevel,
    topics: [{ topic, partitions: [{ partition, fetchOffset, maxBytes: MAX_FETCH_BYTES }] }],
  }),
  response: {
    decode: (raw: Buffer) => Promise.resolve(decodeFetch(raw)),
    parse: (data: unknown) => Promise.resolve(data),
  },
});

/**
 * One partition's part of a Fetch response. `records` contains the batches as the broker sent them.
 * Only the last batch may be cut off.
 */
export interface FetchedPartition {
  readonly errorCode: number;
  readonly lowOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly records: Buffer;
}

/** Decodes a Fetch v11 response with one topic and one partition. */
export function decodeFetch(raw: Buffer): FetchedPartition {
  let at = 4; // throttle_time_ms
  const topLevelError = raw.readInt16BE(at);
  at += 2 + 4; // error_code, session_id
  if (topLevelError !== 0 || raw.readInt32BE(at) === 0)
    return { errorCode: topLevelError || -1, lowOffset: 0, aborted: [], records: Buffer.alloc(0) };
  at += 4;
  at += 2 + raw.readInt16BE(at); // topic
  at += 4 + 4; // partitions array, partition index
  const errorCode = raw.readInt16BE(at);
  at += 2 + 8 + 8; // error, high watermark, last stable offset
  const lowOffset = Number(raw.readBigInt64BE(at));
  at += 8;
  const abortedCount = raw.readInt32BE(at);
  at += 4;
  const aborted: AbortedTransaction[] = [];
  for (let index = 0; index < abortedCount; index += 1, at += 16) {
    aborted.push({
      producerId: raw.readBigInt64BE(at),
      firstOffset: Number(raw.readBigInt64BE(at + 8)),
    });
  }
  at += 4; // preferred_read_replica
  const length = raw.readInt32BE(at);
  return {
    errorCode,
    lowOffset,
    aborted,
    records: length <= 0 ? Buffer.alloc(0) : raw.subarray(at + 4, at + 4 + length),
  };
}
