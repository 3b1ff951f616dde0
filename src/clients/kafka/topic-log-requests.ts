// Defines requests that kafkajs does not offer. They ask for offsets with their leader epochs, and
// for the end of an earlier leader epoch. They also ask for the id of a topic. Each request is
// about one topic and at most one partition.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Encoder = require('kafkajs/src/protocol/encoder') as new () => EncoderOf;
const Decoder = require('kafkajs/src/protocol/decoder') as new (raw: Buffer) => DecoderOf;

interface EncoderOf {
  writeInt8(value: number): EncoderOf;
  writeInt32(value: number): EncoderOf;
  writeInt64(value: number): EncoderOf;
  writeString(value: string): EncoderOf;
  writeUVarInt(value: number): EncoderOf;
  writeUVarIntString(value: string): EncoderOf;
  writeBoolean(value: boolean): EncoderOf;
}
interface DecoderOf {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBoolean(): boolean;
  readBytes(length: number): Buffer;
  readUVarInt(): number;
  readUVarIntString(): string | null;
  readTaggedFields(): unknown;
}

/** The form of a request and its response in kafkajs' `connectionPool.send`. */
export interface Exchange<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<EncoderOf>;
  };
  readonly response: {
    readonly decode: (raw: Buffer) => Promise<T>;
    readonly parse: (answer: T) => Promise<T>;
  };
}

const exchange = <T>(
  apiKey: number,
  apiVersion: number,
  apiName: string,
  body: EncoderOf,
  decode: (raw: DecoderOf) => T,
): Exchange<T> => ({
  request: { apiKey, apiVersion, apiName, encode: () => Promise.resolve(body) },
  response: {
    decode: (raw) => Promise.resolve(decode(new Decoder(raw))),
    parse: (answer) => Promise.resolve(answer),
  },
});

/**
 * An offset of a partition's log. `leaderEpoch` is -1 if the log has no leader epoch for the
 * offset.
 */
export interface LogOffset {
  readonly errorCode: number;
  readonly offset: number;
  readonly leaderEpoch: number;
}

const LIST_OFFSETS = 2;
export const METADATA = 3;
const OFFSET_FOR_LEADER_EPOCH = 23;
const CONSUMER = -1; // the replica id that says that the caller is no replica
const NO_EPOCH = -1;

/** Builds ListOffsets, version 4, which is the first version that returns leader epochs. */
export function listOffset(
  topic: string,
  partition: number,
  timestamp: number,
  isolationLevel: number,
): Exchange<LogOffset> {
  const body = new Encoder().writeInt32(CONSUMER).writeInt8(isolationLevel);
  body.writeInt32(1).writeString(topic).writeInt32(1);
  body.writeInt32(partition).writeInt32(NO_EPOCH).writeInt64(timestamp);
  return exchange(LIST_OFFSETS, 4, 'ListOffsets', body, (raw) => {
    raw.readInt32(); // throttle time
    if (raw.readInt32() === 0) return { errorCode: -1, offset: -1, leaderEpoch: -1 };
    raw.readString();
    raw.readInt32(); // partitions: one
    raw.readInt32();
    const errorCode = raw.readInt16();
    raw.readInt64(); // timestamp
    return { errorCode, offset: Number(raw.readInt64().toString()), leaderEpoch: raw.readInt32() };
  });
}

/**
 * Builds OffsetForLeaderEpoch, version 3. The answer is the offset at which the records of this
 * leader epoch and of earlier epochs now end. The answer is -1 if the log does not know the epoch.
 */
export function epochEnd(
  topic: string,
  partition: number,
  leaderEpoch: number,
): Exchange<LogOffset> {
  const body = new Encoder().writeInt32(CONSUMER).writeInt32(1).writeString(topic).writeInt32(1);
  body.writeInt32(partition).writeInt32(NO_EPOCH).writeInt32(leaderEpoch);
  return exchange(OFFSET_FOR_LEADER_EPOCH, 3, 'OffsetForLeaderEpoch', body, (raw) => {
    raw.readInt32(); // throttle time
    if (raw.readInt32() === 0) return { errorCode: -1, offset: -1, leaderEpoch: -1 };
    raw.readString();
    raw.readInt32(); // partitions: one
    const errorCode = raw.readInt16();
    raw.readInt32();
    const epoch = raw.readInt32();
    return { errorCode, offset: Number(raw.readInt64().toString()), leaderEpoch: epoch };
  });
}

/** The first version of Metadata that returns topic ids (Kafka 2.8). */
export const TOPIC_ID_VERSION = 10;

/**
 * Builds Metadata, version 10. The answer contains the topic's id as 32 hex digits. A topic that is
 * created again under the same name has a different id.
 */
export function topicIdOf(
  topic: string,
): Exchange<{ readonly errorCode: number; readonly id: string }> {
  const body = new Encoder().writeUVarInt(0); // no tagged fields in the header
  body
    .writeUVarInt(1 + 1)
    .writeInt64(0)
    .writeInt64(0)
    .writeUVarIntString(topic)
    .writeUVarInt(0); // one topic, by name and not by id
  // the request creates no topics, and does not ask for the allowed operations
  body.writeBoolean(false).writeBoolean(false).writeBoolean(false).writeUVarInt(0);
  return exchange(METADATA, TOPIC_ID_VERSION, 'Metadata', body, (raw) => {
    raw.readTaggedFields(); // the tagged fields of the header
    raw.readInt32(); // throttle time
    for (let brokers = raw.readUVarInt() - 1; brokers > 0; brokers -= 1) {
      raw.readInt32();
      raw.readUVarIntString();
      raw.readInt32();
      raw.readUVarIntString();
      raw.readTaggedFields();
    }
    raw.readUVarIntString(); // cluster
    raw.readInt32(); // controller
    if (raw.readUVarInt() <= 1) return { errorCode: -1, id: '' };
    const errorCode = raw.readInt16();
    raw.readUVarIntString();
    return { errorCode, id: raw.readBytes(16).toString('hex') };
  });
}
