// Reads the topic of a table after its initial load. Also waits until a restart of the connector
// could no longer repeat a part of the load.
import type { KafkaPort, PartitionEnds } from '../../../clients/kafka/kafka.js';
import { rangeOf } from '../../../clients/kafka/record-batch.js';
import { withSource } from '../../../clients/postgres/connection.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { Lsn } from '../../../domain/values/position.js';
import { connectorAcknowledged } from '../../barrier/connector-acknowledged.js';
import { beat } from '../../runtime/poll-until.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { checkedPartitions, decodingOf, readCaptured, type Decoding } from '../captured-records.js';

/** Receives a record with key and value as JSON. The bytes are valid only during the call. */
export type TakeLoaded = (
  partition: number,
  offset: number,
  key: Buffer | null,
  value: Buffer | null,
) => void;

export class LoadedTopic {
  readonly name: string;
  readonly #kafka: KafkaPort;
  readonly #decoding: Decoding | null;
  readonly #next = new Map<number, number>();
  readonly #take: TakeLoaded;

  constructor(kafka: KafkaPort, name: string, take: TakeLoaded) {
    this.name = name;
    this.#kafka = kafka;
    this.#decoding = decodingOf(kafka);
    this.#take = take;
  }

  /** Reads the records before `ends`, except those that it has already read. */
  async readTo(ends: readonly PartitionEnds[]): Promise<void> {
    const partitions = checkedPartitions(this.#decoding, ends.length);
    for (const { partition, low, committed: to } of ends) {
      const from = Math.max(this.#next.get(partition) ?? 0, low);
      await readCaptured(
        this.#kafka,
        { topic: this.name, partition, partitions, from, to },
        this.#decoding,
        (offset, bytes, keyStart, keyEnd, start, end) =>
          this.#take(
            partition,
            offset,
            rangeOf(bytes, keyStart, keyEnd),
            rangeOf(bytes, start, end),
          ),
        () => beat(),
      );
      this.#next.set(partition, to);
    }
  }
}

/**
 * Waits until the connector has acknowledged `lsn`, a position after the load. If its stored offset
 * were still from the load, a restart would repeat the load, or its last chunk. Returns null if the
 * connector has acknowledged the position, otherwise the reason.
 */
export const offsetIsBehindLoad = (
  plan: ResolvedPlan,
  secret: CaptureDeps['secret'],
  lsn: Lsn,
  deadline: number,
): Promise<string | null> =>
  withSource(plan, secret, (client) => connectorAcknowledged(client, plan, lsn, deadline));
