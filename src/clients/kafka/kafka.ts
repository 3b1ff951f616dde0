// Everything we ask of a Kafka cluster, on top of kafkajs: its connections, TLS, SASL and admin calls; our own bounded reading of topic ranges.
import kafkajs, { type Admin, type Kafka as KafkaJs } from 'kafkajs';
import { Problem } from '../../domain/failure.js';
import type { KafkaSpec } from '../../domain/migration/spec.js';
import { BulkWriter } from './producer.js';
import { Brokers, READ_COMMITTED, TopicLost } from './kafka-brokers.js';
import { describeBy, type GroupDescription } from './kafka-groups.js';
import { makeTopic } from './kafka-topics.js';
import {
  TransactionFilter,
  offsetBehind,
  visibleBatches,
  walkBatch,
  type RecordVisitor,
  type VisibleBatch,
} from './record-batch.js';
import type { ResolveSecret } from '../postgres/connection.js';

const SERVED_MS = 15_000;

export { TopicLost };

export interface TopicDescription {
  /** Null where the brokers give topics no ids. */
  readonly id: string | null;
  readonly partitions: number;
  readonly settings: Readonly<Record<string, string>>;
}

export interface PartitionEnds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
  /** The last stable offset: nothing before it belongs to an open transaction. */
  readonly committed: number;
  /** Of the leader that told `committed`; -1 = none. */
  readonly epoch: number;
}

const brokerHosts = ({ brokers }: KafkaSpec): string[] =>
  brokers.map((broker) => broker.slice(0, broker.lastIndexOf(':')));

export class KafkaPort {
  readonly #kafka: KafkaJs;
  #admin: Promise<Admin> | undefined;
  readonly #brokers: Brokers;

  constructor(spec: KafkaSpec, secret: ResolveSecret) {
    this.#kafka = new kafkajs.Kafka({
      clientId: 'sluice',
      brokers: [...spec.brokers],
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 5000,
      requestTimeout: 30_000,
      retry: { retries: 4, initialRetryTime: 200, maxRetryTime: 2000 },
      ssl: spec.tls,
      ...(spec.sasl
        ? {
            sasl: {
              mechanism: spec.sasl.mechanism,
              username: spec.sasl.username,
              password: secret(spec.sasl.passwordFrom, brokerHosts(spec)),
            } as kafkajs.SASLOptions,
          }
        : {}),
    });
    this.#brokers = new Brokers(this.#kafka, () => this.listTopics());
  }

  async brokerCount(): Promise<number> {
    return (await (await this.admin()).describeCluster()).brokers.length;
  }

  async listTopics(): Promise<string[]> {
    return (await this.admin()).listTopics();
  }

  /** Those of the topics that exist, with the named settings. */
  async describeTopics(
    topics: readonly string[],
    settings: readonly string[],
  ): Promise<ReadonlyMap<string, TopicDescription>> {
    const admin = await this.admin();
    const existing = await admin.listTopics();
    const there = [...new Set(topics)].filter((topic) => existing.includes(topic));
    const described = new Map<string, TopicDescription>();
    if (there.length === 0) return described;
    const metadata = await admin.fetchTopicMetadata({ topics: there });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: there.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: [...settings],
      })),
    });
    for (const { name, partitions } of metadata.topics) {
      const entries = resources.find((r) => r.resourceName === name)?.configEntries ?? [];
      const found = Object.fromEntries(
        entries.map((entry) => [entry.configName, entry.configValue]),
      );
      described.set(name, {
        id: await this.topicId(name),
        partitions: partitions.length,
        settings: found,
      });
    }
    return described;
  }

  /** Made, and served: a broker that was just told of a topic may not host it yet, and whoever writes to it at once would be refused. */
  async createTopic(
    topic: string,
    partitions: number,
    replication: number,
    config: Readonly<Record<string, string>>,
  ): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await makeTopic(this.#kafka, {
      topic,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries,
    });
    const deadline = Date.now() + SERVED_MS;
    for (;;) {
      const isServed = await this.offsets(topic).then(
        (ends) => ends.length >= partitions,
        (error: unknown) => {
          if (Date.now() > deadline) throw error;
          return false;
        },
      );
      if (isServed || Date.now() > deadline) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async deleteTopic(topic: string): Promise<void> {
    const admin = await this.admin();
    if ((await admin.listTopics()).includes(topic))
      await admin.deleteTopics({ topics: [topic], timeout: 15_000 });
  }

  /** First and next offset per partition, of all of them. */
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

  /** First offset per partition. */
  async lows(topic: string): Promise<ReadonlyMap<number, number>> {
    const found = await this.#brokers.listOffsets(topic, -2, 0);
    return new Map([...found].map(([partition, { offset }]) => [partition, offset]));
  }

  /** Where today's log ends for this leader and earlier ones; -1 where it does not know that leader. */
  async epochEnd(topic: string, partition: number, leaderEpoch: number): Promise<number> {
    return this.#brokers.epochEnd(topic, partition, leaderEpoch);
  }

  /** Another one after the topic was made anew; null where the brokers give none. */
  async topicId(topic: string): Promise<string | null> {
    return this.#brokers.topicId(topic);
  }

  /** Gives up every record before the offset, per partition. */
  async deleteRecords(topic: string, before: ReadonlyMap<number, number>): Promise<void> {
    for (const [partition, offset] of before)
      await this.#brokers.deleteRecords(topic, partition, offset);
  }

  /** Committed offsets of a consumer group: topic → partition → next offset. Empty when it never committed. */
  async groupOffsets(groupId: string): Promise<Map<string, Map<number, number>>> {
    const answer = await (await this.admin()).fetchOffsets({ groupId });
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

  /** Asks with the requests of the group's own protocol. A group that no request describes is `unknown`. */
  async describeGroup(groupId: string): Promise<GroupDescription> {
    return this.#brokers.withCoordinator(groupId, (broker) =>
      describeBy(broker, groupId, async () => (await this.groupOffsets(groupId)).size > 0),
    );
  }

  async deleteGroup(groupId: string): Promise<void> {
    await (await this.admin()).deleteGroups([groupId]);
  }

  /**
   * Visits every committed record of `[from, to)` of a partition. Returns how many were visited.
   * Throws Problem `topic-lost` when the range is no longer all there.
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

  /** As `readRange`, but hands over each answer of the broker with its committed batches, unread; when `take` returns a promise, the next one waits for it. */
  async readBatches(
    topic: string,
    partition: number,
    from: number,
    to: number,
    take: (records: Buffer, batches: readonly VisibleBatch[]) => void | Promise<void>,
  ): Promise<void> {
    if (from >= to) return;
    const filter = new TransactionFilter();
    let next = from;
    let stalls = 0;
    let fetching = this.#brokers.fetch(topic, partition, next);
    while (next < to) {
      const answer = await fetching;
      // The next answer is on its way while this one is worked on.
      const behind = offsetBehind(answer.records, next);
      if (behind < to)
        (fetching = this.#brokers.fetch(topic, partition, behind)).catch(() => undefined);
      if (answer.lowOffset > next)
        throw new TopicLost(
          topic,
          `${topic}/${partition} starts at ${answer.lowOffset} > ${next} needed: retention removed records`,
        );
      filter.add(answer.aborted);
      const { batches, next: reached } = visibleBatches(answer.records, next, to, filter);
      const taken = take(answer.records, batches);
      if (taken) await taken;
      stalls = reached === next ? stalls + 1 : 0;
      if (stalls > 100)
        throw new Problem(
          'unreachable',
          `${topic}/${partition} gives no records at ${next} < ${to} expected`,
        );
      next = reached;
    }
  }

  /** Whether only control records (transaction markers) lie in `[from, to)`: then nothing is left to consume there. */
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

  /** Idempotent: a batch that is sent again is not written twice. */
  openWriter(): BulkWriter {
    return new BulkWriter(this.#brokers);
  }

  async disconnect(): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined);
    await Promise.all([admin?.disconnect(), this.#brokers.disconnect()]);
    this.#admin = undefined;
  }

  admin(): Promise<Admin> {
    this.#admin ??= this.#connectAdmin();
    return this.#admin;
  }

  async #connectAdmin(): Promise<Admin> {
    try {
      const admin = this.#kafka.admin();
      await admin.connect();
      return admin;
    } catch (error) {
      this.#admin = undefined; // the next call tries again
      throw error;
    }
  }
}
