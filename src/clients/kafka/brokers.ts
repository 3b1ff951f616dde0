// Sends requests to a partition's leader or to a group's coordinator, over kafkajs' own
// connections. kafkajs has no public call for most of these requests. For example, they list
// offsets by isolation level, fetch batches without decoding them, and produce encoded batches.
import type { Kafka as KafkaJs } from 'kafkajs';
import type { ProducerIdentity } from './batch-builder.js';
import { Problem } from '../../domain/failure.js';
import { partitionOf } from '../../domain/values/partition.js';
import { answered } from '../progress.js';
import type { Coordinator } from './groups.js';
import { fetchOf, type FetchedPartition } from './fetch-response.js';
import {
  METADATA,
  TOPIC_ID_VERSION,
  epochEnd,
  listOffset,
  topicIdOf,
  type LogOffset,
} from './topic-log-requests.js';
import { answeredError } from './connection-trouble.js';
import { KnownTopics, TopicLost, type TopicList } from './known-topics.js';
import { DUPLICATE_SEQUENCE, decodeProduce, produceRequest } from './produce-request.js';
import { createCluster, type Broker, type Cluster } from './kafkajs-internals.js';

export const READ_COMMITTED = 1;

/**
 * The functions that the creator of a `Brokers` object provides. They list topics, throw if ACLs
 * hide a topic, and explain errors of connections.
 */
interface Surroundings extends TopicList {
  readonly explain: (error: unknown) => unknown;
}

export class Brokers {
  readonly #kafka: KafkaJs;
  readonly #explain: Surroundings['explain'];
  readonly #known: KnownTopics;
  #cluster: Promise<Cluster> | undefined;
  #isClosed = false;

  constructor(kafka: KafkaJs, { explain, ...topics }: Surroundings) {
    this.#kafka = kafka;
    this.#explain = explain;
    this.#known = new KnownTopics(topics);
  }

  /**
   * Reloads the metadata, so that later calls see partitions that were added since the last reload.
   */
  async refresh(): Promise<void> {
    if (this.#cluster) await this.#known.refresh(await this.#cluster);
  }

  async partitions(topic: string): Promise<number> {
    return (await this.#leaders(topic)).size;
  }

  /** Returns the partition that Kafka's own producers choose for a key. */
  partitionOf(key: Buffer, partitions: number): number {
    return partitionOf(key, 0, key.length, partitions);
  }

  /** Registers a new idempotent producer and returns its identity. */
  identify(topic: string): Promise<ProducerIdentity> {
    return this.#withLeader(topic, 0, async (broker) => {
      const { producerId, producerEpoch } = await broker.initProducerId({
        transactionalId: null,
        transactionTimeout: 60_000,
      });
      return { producerId: BigInt(producerId), epoch: producerEpoch };
    });
  }

  /** Sends a batch. Resolves when all in-sync replicas have it. */
  produce(topic: string, partition: number, batch: Buffer): Promise<void> {
    return this.#withLeader(topic, partition, async (broker) => {
      const response = {
        decode: (raw: Buffer) => Promise.resolve(decodeProduce(raw)),
        parse: (data: unknown) => Promise.resolve(data),
      };
      const code = (await broker.connectionPool.send({
        request: produceRequest(topic, partition, batch),
        response,
      })) as number;
      if (code !== 0 && code !== DUPLICATE_SEQUENCE)
        throw answeredError('Produce', 'Write', topic, partition, code);
    });
  }

  /** Deletes every record of the partition before the offset. */
  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    await this.#withLeader(topic, partition, (broker) =>
      broker.deleteRecords({
        topics: [{ topic, partitions: [{ partition, offset: String(before) }] }],
      }),
    );
  }

  async listOffsets(
    topic: string,
    timestamp: number,
    isolationLevel: number,
  ): Promise<Map<number, LogOffset>> {
    const found = new Map<number, LogOffset>();
    for (const partition of (await this.#leaders(topic)).keys()) {
      const asked = listOffset(topic, partition, timestamp, isolationLevel);
      found.set(partition, await this.#ask(topic, partition, asked, 'ListOffsets'));
    }
    return found;
  }

  /**
   * Returns the offset at which the records of this leader epoch and of earlier epochs now end.
   * Returns -1 if the log does not know the epoch.
   */
  async epochEnd(topic: string, partition: number, leaderEpoch: number): Promise<number> {
    const asked = epochEnd(topic, partition, leaderEpoch);
    return (await this.#ask(topic, partition, asked, 'OffsetForLeaderEpoch')).offset;
  }

  /**
   * Returns the topic's id, which changes when the topic is created again. Returns null if the
   * topic has no id, as with brokers before Kafka 2.8.
   */
  async topicId(topic: string): Promise<string | null> {
    return this.#withLeader(topic, 0, async (broker) => {
      if ((broker.versions?.[METADATA]?.maxVersion ?? 0) < TOPIC_ID_VERSION) return null;
      const { errorCode, id } = (await broker.connectionPool.send(topicIdOf(topic))) as {
        errorCode: number;
        id: string;
      };
      if (errorCode !== 0) throw answeredError('Metadata', 'Describe', topic, null, errorCode);
      return /^0*$/.test(id) ? null : id;
    });
  }

  #ask(topic: string, partition: number, exchange: object, name: string): Promise<LogOffset> {
    return this.#withLeader(topic, partition, async (broker) => {
      const answer = (await broker.connectionPool.send(exchange)) as LogOffset;
      if (answer.errorCode !== 0)
        throw answeredError(name, 'Describe', topic, partition, answer.errorCode);
      return answer;
    });
  }

  async fetch(topic: string, partition: number, offset: number): Promise<FetchedPartition> {
    return this.#withLeader(topic, partition, async (broker) => {
      const call = fetchOf(topic, partition, offset, READ_COMMITTED);
      const fetched = (await broker.connectionPool.send(call)) as FetchedPartition;
      if (fetched.errorCode === 1)
        throw new TopicLost(
          topic,
          `${topic}/${partition} has no offset ${offset}, because records were removed or the topic was re-created`,
        );
      if (fetched.errorCode !== 0)
        throw answeredError('Fetch', 'Read', topic, partition, fetched.errorCode);
      return fetched;
    });
  }

  /**
   * Calls the broker that coordinates the group. Tries up to four times, because the coordinator
   * can move or fail to answer.
   */
  async withCoordinator<T>(groupId: string, ask: (broker: Coordinator) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#cluster ??= this.#connectCluster();
        const coordinator = await (await this.#cluster).findGroupCoordinator({ groupId });
        return await answered(ask(coordinator));
      } catch (error) {
        if (attempt >= 4) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250 * attempt));
      }
    }
  }

  async disconnect(): Promise<void> {
    this.#isClosed = true;
    const cluster = await this.#cluster?.catch(() => undefined);
    await cluster?.disconnect();
    this.#cluster = undefined;
  }

  /**
   * Returns the kafkajs client. Throws after `disconnect`, because a connection that opens later
   * would never be closed.
   */
  kafka(): KafkaJs {
    if (this.#isClosed)
      throw new Problem(
        'unreachable',
        'this connection to Kafka was closed, because a new one replaced it',
        'wait, because the next attempt uses the new connection',
      );
    return this.#kafka;
  }

  async #connectCluster(): Promise<Cluster> {
    const cluster = createCluster(this.kafka(), READ_COMMITTED);
    try {
      await cluster.connect();
      return cluster;
    } catch (error) {
      this.#cluster = undefined;
      throw this.#explain(error);
    }
  }

  async #leaders(topic: string): Promise<Map<number, Broker>> {
    this.#cluster ??= this.#connectCluster();
    const cluster = await this.#cluster;
    await this.#known.know(cluster, topic);
    const metadata = cluster.findTopicPartitionMetadata(topic);
    if (metadata.length === 0) throw new TopicLost(topic, `topic ${topic} does not exist`);
    const leaders = new Map<number, Broker>();
    for (const { partitionId, leader } of metadata)
      leaders.set(partitionId, await cluster.findBroker({ nodeId: leader }));
    return leaders;
  }

  /**
   * Calls the partition's leader. Tries up to four times, with fresh metadata, because the
   * connection can be lost and the leader can move. Does not retry after a Problem.
   */
  async #withLeader<T>(
    topic: string,
    partition: number,
    call: (broker: Broker) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const broker = (await this.#leaders(topic)).get(partition);
        if (!broker) throw new TopicLost(topic, `topic ${topic} has no partition ${partition}`);
        return await answered(call(broker));
      } catch (error) {
        if (error instanceof Problem || attempt >= 4) throw error;
        const cluster = await this.#cluster?.catch(() => undefined);
        if (cluster) await this.#known.refuseIfGone(cluster, topic);
        await new Promise((resolve) => setTimeout(resolve, 250 * attempt));
        await cluster?.refreshMetadata().catch(() => undefined);
      }
    }
  }
}
