// Provides all calls to a Kafka cluster. kafkajs provides connections, TLS, SASL and admin calls.
// Sluice's own code reads and writes records.
import type { Admin } from 'kafkajs';
import { isAuthenticated, type KafkaSpec } from '../../domain/migration/cluster-access.js';
import { SchemaRegistry } from '../http/schema-registry.js';
import { BulkWriter } from './producer.js';
import { Brokers, READ_COMMITTED } from './brokers.js';
import { kafkaClient } from './client.js';
import { connectionTrouble } from './connection-trouble.js';
import { TopicLost } from './known-topics.js';
import { describeBy, type GroupDescription } from './groups.js';
import { readBatches, type TakeBatches } from './batch-reader.js';
import {
  describeTopics,
  makeTopic,
  refuseHidden,
  served,
  type TopicDescription,
} from './topics.js';
import { walkBatch, type RecordVisitor } from './record-batch.js';
import type { ResolveSecret } from '../postgres/connection.js';

export { TopicLost, type TopicDescription };

export interface PartitionEnds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
  /** The last stable offset. No record before it belongs to an open transaction. */
  readonly committed: number;
  /** The epoch of the leader that reported `committed`; -1 means unknown. */
  readonly epoch: number;
}

export class KafkaPort {
  #admin: Promise<Admin> | undefined;
  readonly #brokers: Brokers;
  readonly spec: KafkaSpec;
  readonly registry: SchemaRegistry | null;

  constructor(spec: KafkaSpec, secret: ResolveSecret) {
    this.spec = spec;
    this.registry = spec.registry ? new SchemaRegistry(spec.registry, secret) : null;
    this.#brokers = new Brokers(kafkaClient(spec, secret), {
      listTopics: () => this.listTopics(),
      refuseHidden: (topics) => this.refuseHidden(topics),
      explain: (error) => connectionTrouble(error, spec) ?? error,
    });
  }

  async brokerCount(): Promise<number> {
    return (await (await this.admin()).describeCluster()).brokers.length;
  }

  async listTopics(): Promise<string[]> {
    return (await this.admin()).listTopics();
  }

  /** Throws Problem `permission-denied` if ACLs hide one of these topics. */
  async refuseHidden(topics: readonly string[]): Promise<void> {
    if (isAuthenticated(this.spec)) await refuseHidden(await this.admin(), topics);
  }

  /** Describes the topics, with the named settings. Topics that do not exist are omitted. */
  async describeTopics(
    topics: readonly string[],
    settings: readonly string[],
  ): Promise<ReadonlyMap<string, TopicDescription>> {
    await this.refuseHidden(topics);
    return describeTopics(await this.admin(), topics, settings, (topic) => this.topicId(topic));
  }

  /** Creates a topic. Returns when brokers serve all its partitions and so accept writes. */
  async createTopic(
    topic: string,
    partitions: number,
    replication: number,
    config: Readonly<Record<string, string>>,
  ): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await makeTopic(this.#brokers.kafka(), {
      topic,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries,
    });
    await served(topic, async () => (await this.offsets(topic)).length >= partitions);
  }

  async deleteTopic(topic: string): Promise<void> {
    const admin = await this.admin();
    await this.refuseHidden([topic]);
    if ((await admin.listTopics()).includes(topic))
      await admin.deleteTopics({ topics: [topic], timeout: 15_000 });
  }

  /** Reloads the metadata. Without this, calls may miss added partitions for half a minute. */
  readonly refresh = (): Promise<void> => this.#brokers.refresh();

  /** Returns for every partition its first offset, its end, and its last stable offset. */
  async offsets(topic: string): Promise<PartitionEnds[]> {
    const [low, high, committed] = await Promise.all([
      this.#brokers.listOffsets(topic, -2, 0),
      this.#brokers.listOffsets(topic, -1, 0),
      this.#brokers.listOffsets(topic, -1, READ_COMMITTED),
    ]);
    return [...high.entries()]
      .map(([partition, at]) => ({
        partition,
        low: low.get(partition)?.offset ?? 0,
        high: at.offset,
        committed: committed.get(partition)?.offset ?? 0,
        epoch: committed.get(partition)?.leaderEpoch ?? -1,
      }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** Returns the first offset of every partition. */
  async lows(topic: string): Promise<ReadonlyMap<number, number>> {
    const found = await this.#brokers.listOffsets(topic, -2, 0);
    return new Map([...found].map(([partition, { offset }]) => [partition, offset]));
  }

  /**
   * Returns the offset at which the records of this leader epoch and of earlier epochs now end.
   * Returns -1 if the log does not know the epoch.
   */
  async epochEnd(topic: string, partition: number, leaderEpoch: number): Promise<number> {
    return this.#brokers.epochEnd(topic, partition, leaderEpoch);
  }

  /**
   * Returns the topic's id, which changes when the topic is created again. Returns null if the
   * topic has no id.
   */
  async topicId(topic: string): Promise<string | null> {
    return this.#brokers.topicId(topic);
  }

  /** Deletes every record before the given offset of each partition. */
  async deleteRecords(topic: string, before: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, offset] of before)
      await this.#brokers.deleteRecords(topic, partition, offset);
  }

  /** Returns a group's committed offsets: topic → partition → next offset. The map may be empty. */
  async groupOffsets(groupId: string): Promise<Map<string, Map<number, number>>> {
    const admin = await this.admin();
    const answer = await this.#brokers.withCoordinator(groupId, () =>
      admin.fetchOffsets({ groupId }),
    );
    return new Map(
      answer.map(({ topic, partitions }) => [
        topic,
        new Map(
          partitions
            .filter((p) => Number(p.offset) >= 0)
            .map((p) => [p.partition, Number(p.offset)]),
        ),
      ]),
    );
  }

  /** Describes a group. The answer is `unknown` if no request can describe the group. */
  async describeGroup(groupId: string): Promise<GroupDescription> {
    return this.#brokers.withCoordinator(groupId, (broker) =>
      describeBy(broker, groupId, async () => (await this.groupOffsets(groupId)).size > 0),
    );
  }

  async deleteGroup(groupId: string): Promise<void> {
    await (await this.admin()).deleteGroups([groupId]);
  }

  /**
   * Visits every committed record of `[from, to)` of a partition, and returns their number. Throws
   * Problem `topic-lost` if records of the range were deleted, except by compaction.
   */
  async readRange(
    topic: string,
    partition: number,
    from: number,
    to: number,
    visit: RecordVisitor,
    onProgress: () => void = () => undefined,
  ): Promise<number> {
    let visited = 0;
    const count: RecordVisitor = (offset, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      visited += 1;
      visit(offset, bytes, keyStart, keyEnd, valueStart, valueEnd);
    };
    await this.readBatches(topic, partition, from, to, (records, batches) => {
      for (const batch of batches) walkBatch(records, batch, from, to, count);
      onProgress();
    });
    return visited;
  }

  /** Reads like `readRange`, but `take` gets undecoded answers with the positions of batches. */
  async readBatches(
    topic: string,
    partition: number,
    from: number,
    to: number,
    take: TakeBatches,
  ): Promise<void> {
    return readBatches(this.#brokers, { topic, partition, from, to }, take);
  }

  /**
   * Returns whether `[from, to)` contains no committed record. It may contain control records
   * (transaction markers) and aborted records, which no read_committed consumer receives.
   */
  async onlyControlRecords(
    topic: string,
    partition: number,
    from: number,
    to: number,
  ): Promise<boolean> {
    let data = 0;
    await this.readRange(topic, partition, from, to, () => (data += 1));
    return data === 0;
  }

  /** Opens an idempotent writer. A batch that is sent twice is written only once. */
  openWriter(): BulkWriter {
    return new BulkWriter(this.#brokers);
  }

  /** Closes the connections permanently. Later calls throw Problem `unreachable`. */
  async disconnect(): Promise<void> {
    const admin = this.#admin?.then((open) => open.disconnect()).catch(() => undefined);
    await Promise.all([admin, this.#brokers.disconnect()]);
    this.#admin = undefined;
  }

  admin(): Promise<Admin> {
    this.#admin ??= this.#connectAdmin();
    return this.#admin;
  }

  async #connectAdmin(): Promise<Admin> {
    try {
      const admin = this.#brokers.kafka().admin();
      await admin.connect();
      return admin;
    } catch (error) {
      this.#admin = undefined; // the next call tries again
      throw connectionTrouble(error, this.spec) ?? error;
    }
  }
}
