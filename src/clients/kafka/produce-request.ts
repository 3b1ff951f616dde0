// Encodes Kafka's Produce request (version 7) and decodes its response, for one topic, one
// partition and one batch that is already encoded.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const Encoder = require('kafkajs/src/protocol/encoder') as new (size: number) => {
  buf: Buffer;
  offset: number;
};

const PRODUCE = 0;
const VERSION = 7;
const ACKS_ALL = -1;
const TIMEOUT_MS = 30_000;

/** The error code of a batch that the broker already has. */
export const DUPLICATE_SEQUENCE = 46;

export function produceRequest(topic: string, partition: number, batch: Buffer): object {
  return {
    apiKey: PRODUCE,
    apiVersion: VERSION,
    apiName: 'Produce',
    encode: () => {
      const name = Buffer.from(topic);
      const encoder = new Encoder(2 + 2 + 4 + 4 + 2 + name.length + 4 + 4 + 4 + batch.length);
      const { buf } = encoder;
      let at = buf.writeInt16BE(-1, 0); // no transaction
      at = buf.writeInt16BE(ACKS_ALL, at);
      at = buf.writeInt32BE(TIMEOUT_MS, at);
      at = buf.writeInt32BE(1, at); // topics
      at = buf.writeInt16BE(name.length, at);
      at += name.copy(buf, at);
      at = buf.writeInt32BE(1, at); // partitions
      at = buf.writeInt32BE(partition, at);
      at = buf.writeInt32BE(batch.length, at);
      encoder.offset = at + batch.copy(buf, at);
      return Promise.resolve(encoder);
    },
  };
}

/** Returns the error code of the one partition. 0 means that the batch was written. */
export function decodeProduce(raw: Buffer): number {
  const afterTopic = 4 + 2 + raw.readInt16BE(4); // topics, name
  return raw.readInt16BE(afterTopic + 4 + 4); // partitions, index
}
