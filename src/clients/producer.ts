// Writing many records to topics, on top of kafkajs: used by proofs, which replay rows without a connector.
import kafkajs, { type Producer } from 'kafkajs';

export interface OutRecord {
  readonly key: string;
  readonly value: string | null;
}

/** Collects records per topic and sends them in large requests; at most `IN_FLIGHT` wait for their answer. */
export class BulkWriter {
  readonly #producer: Producer;
  readonly #waiting = new Map<string, OutRecord[]>();
  #flying: Promise<unknown>[] = [];
  #size = 0;
  records = 0;
  bytes = 0;

  /** `producer` MUST be connected; `close` disconnects it. */
  constructor(producer: Producer) {
    this.#producer = producer;
  }

  async write(topic: string, record: OutRecord): Promise<void> {
    const waiting = this.#waiting.get(topic) ?? [];
    waiting.push(record);
    if (waiting.length === 1) this.#waiting.set(topic, waiting);
    this.#size += record.key.length + (record.value?.length ?? 0);
    this.records += 1;
    if (this.#size >= REQUEST_BYTES) await this.#send();
  }

  /** Everything written is acknowledged by all in-sync replicas when this ends. */
  async flush(): Promise<void> {
    await this.#send();
    await Promise.all(this.#flying);
    this.#flying = [];
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }

  async #send(): Promise<void> {
    if (this.#size === 0) return;
    const topicMessages = [...this.#waiting].map(([topic, messages]) => ({ topic, messages: messages as { key: string; value: string | null }[] }));
    this.#waiting.clear();
    this.bytes += this.#size;
    this.#size = 0;
    const sent = this.#producer.sendBatch({ topicMessages, acks: -1, compression: kafkajs.CompressionTypes.None });
    sent.catch(() => undefined); // looked at below, when it is waited for
    this.#flying.push(sent);
    if (this.#flying.length >= IN_FLIGHT) await this.#flying.shift();
  }
}

const REQUEST_BYTES = 700 * 1024; // below the broker's default limit for one batch
const IN_FLIGHT = 3;
