// Everything we ask of a Kafka cluster, on top of kafkajs: its connections, TLS, SASL and admin calls; our own bounded reading of topic ranges.
import { createRequire } from 'node:module';
import kafkajs, { type Admin, type Kafka as KafkaJs } from 'kafkajs';
import { Problem } from '../domain/failure.js';
import type { KafkaSpec } from '../domain/spec.js';
import { BulkWriter } from './producer.js';
import { decodeFetch, type FetchedPartition } from './fetch-response.js';
import { DUPLICATE_SEQUENCE, decodeProduce, produceRequest } from './produce-request.js';
import { TransactionFilter, offsetBehind, walkBatches, type RecordVisitor } from './record-batch.js';
import type { ResolveSecret } from './source.js';

const require = createRequire(import.meta.url);
// kafkajs' own request encoders: pinned exactly, asserted at start by `createCluster`.
const fetchRequest = require('kafkajs/src/protocol/requests/fetch/v11/request') as (input: object) => object;
const listOffsets = {
  request: require('kafkajs/src/protocol/requests/listOffsets/v2/request') as (input: object) => object,
  response: require('kafkajs/src/protocol/requests/listOffsets/v2/response') as ListOffsetsCodec,
};
const murmur2 = require('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number;
interface ListOffsetsCodec {
  decode: (raw: Buffer) => Promise<{ responses: { topic: string; partitions: { partition: number; errorCode: number; offset: string }[] }[] }>;
}

interface Broker {
  readonly connectionPool: { send: (protocol: object) => Promise<unknown> };
  initProducerId(of: { transactionalId: null; transactionTimeout: number }): Promise<{ producerId: string; producerEpoch: number }>;
}
interface Cluster {
  readonly targetTopics: Set<string>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number; partitionErrorCode: number }[];
  findBroker(query: { nodeId: number }): Promise<Broker>;
}

/** A topic, or offsets of it that were needed, are gone. Whose topic it is decides what that means. */
export class TopicLost extends Problem {
  readonly topic: string;

  constructor(topic: string, detail: string) {
    super('topic-lost', detail);
    this.topic = topic;
  }
}

export interface TopicDescription {
  readonly partitions: number;
  readonly cleanupPolicy: string;
}

const MAX_FETCH_BYTES = 8 * 1024 * 1024;
const MAX_WAIT_MS = 100;
const READ_COMMITTED = 1;

export class KafkaPort {
  readonly #kafka: KafkaJs;
  #admin: Promise<Admin> | undefined;
  #cluster: Promise<Cluster> | undefined;

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
        ? { sasl: { mechanism: spec.sasl.mechanism, username: spec.sasl.username, password: secret(spec.sasl.passwordFrom) } as kafkajs.SASLOptions }
        : {}),
    });
  }

  async brokerCount(): Promise<number> {
    return (await (await this.admin()).describeCluster()).brokers.length;
  }

  async listTopics(): Promise<string[]> {
    return (await this.admin()).listTopics();
  }

  /** Null when there is no such topic. */
  async describeTopic(topic: string): Promise<TopicDescription | null> {
    const admin = await this.admin();
    if (!(await admin.listTopics()).includes(topic)) return null;
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const configs = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy'] }],
    });
    return { partitions: topics[0]!.partitions.length, cleanupPolicy: configs.resources[0]?.configEntries[0]?.configValue ?? '' };
  }

  async createTopic(topic: string, partitions: number, replication: number, config: Readonly<Record<string, string>>): Promise<void> {
    const admin = await this.admin();
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }] });
  }

  async deleteTopic(topic: string): Promise<void> {
    const admin = await this.admin();
    if ((await admin.listTopics()).includes(topic)) await admin.deleteTopics({ topics: [topic], timeout: 15_000 });
  }

  /** First and next offset per partition. `committed` = the last stable offset: nothing before it is an open transaction. */
  async offsets(topic: string): Promise<{ partition: number; low: number; high: number; committed: number }[]> {
    const [low, high, committed] = await Promise.all([
      this.#listOffsets(topic, -2, 0),
      this.#listOffsets(topic, -1, 0),
      this.#listOffsets(topic, -1, READ_COMMITTED),
    ]);
    return [...high.entries()]
      .map(([partition, at]) => ({ partition, low: low.get(partition) ?? 0, high: at, committed: committed.get(partition) ?? 0 }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** Committed offsets of a consumer group: topic → partition → next offset. Empty when it never committed. */
  async groupOffsets(groupId: string): Promise<Map<string, Map<number, number>>> {
    const answer = await (await this.admin()).fetchOffsets({ groupId });
    return new Map(
      answer.map(({ topic, partitions }) => [topic, new Map(partitions.filter((p) => Number(p.offset) >= 0).map((p) => [p.partition, Number(p.offset)]))]),
    );
  }

  /** The group's state and its members (sorted ids): who would have to be the same for evidence to stay valid. */
  async describeGroup(groupId: string): Promise<{ state: string; members: string[] }> {
    const { groups } = await (await this.admin()).describeGroups([groupId]);
    const group = groups[0];
    return { state: group?.state ?? 'Unknown', members: (group?.members ?? []).map((m) => m.memberId).sort() };
  }

  async deleteGroup(groupId: string): Promise<void> {
    await (await this.admin()).deleteGroups([groupId]);
  }

  /**
   * Visits every committed record of `[from, to)` of a partition. Returns how many were visited.
   * Throws Problem `topic-lost` when the range is no longer all there.
   */
  async readRange(topic: string, partition: number, from: number, to: number, visit: RecordVisitor, onProgress: () => void = () => undefined): Promise<number> {
    if (from >= to) return 0;
    const filter = new TransactionFilter();
    let next = from;
    let visited = 0;
    let stalls = 0;
    let fetching = this.#fetch(topic, partition, next);
    while (next < to) {
      const batch = await fetching;
      // The next answer is on its way while this one is worked on.
      const behind = offsetBehind(batch.records, next);
      if (behind < to) (fetching = this.#fetch(topic, partition, behind)).catch(() => undefined);
      if (batch.lowOffset > next) throw new TopicLost(topic, `${topic}/${partition} starts at ${batch.lowOffset} > ${next} needed: retention removed records`);
      filter.add(batch.aborted);
      const reached = walkBatches(batch.records, next, to, filter, (offset, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
        visited += 1;
        visit(offset, bytes, keyStart, keyEnd, valueStart, valueEnd);
      });
      stalls = reached === next ? stalls + 1 : 0;
      if (stalls > 100) throw new Problem('unreachable', `${topic}/${partition} gives no records at ${next} < ${to} expected`);
      next = reached;
      onProgress();
    }
    return visited;
  }

  /** Whether only control records (transaction markers) lie in `[from, to)`: then nothing is left to consume there. */
  async onlyControlRecords(topic: string, partition: number, from: number, to: number): Promise<boolean> {
    let data = 0;
    await this.readRange(topic, partition, from, to, () => (data += 1));
    return data === 0;
  }

  /** Idempotent: a batch that is sent again is not written twice. */
  openWriter(): BulkWriter {
    const target = {
      partitions: async (topic: string) => (await this.#leaders(topic)).size,
      identify: (topic: string) =>
        this.#withLeader(topic, 0, async (broker) => {
          const { producerId, producerEpoch } = await broker.initProducerId({ transactionalId: null, transactionTimeout: 60_000 });
          return { producerId: BigInt(producerId), epoch: producerEpoch };
        }),
      partitionOf: (key: string, partitions: number) => (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions,
      produce: (topic: string, partition: number, batch: Buffer) =>
        this.#withLeader(topic, partition, async (broker) => {
          const response = { decode: (raw: Buffer) => Promise.resolve(decodeProduce(raw)), parse: (data: unknown) => Promise.resolve(data) };
          const code = (await broker.connectionPool.send({ request: produceRequest(topic, partition, batch), response })) as number;
          if (code !== 0 && code !== DUPLICATE_SEQUENCE) throw new Error(`Produce ${topic}/${partition}: error code ${code}`);
        }),
    };
    return new BulkWriter(target);
  }

  async disconnect(): Promise<void> {
    const [admin, cluster] = await Promise.all([this.#admin?.catch(() => undefined), this.#cluster?.catch(() => undefined)]);
    await Promise.all([admin?.disconnect(), cluster?.disconnect()]);
    this.#admin = undefined;
    this.#cluster = undefined;
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

  async #connectCluster(): Promise<Cluster> {
    const symbol = Object.getOwnPropertySymbols(this.#kafka).find((s) => s.description === 'private:Kafka:createCluster');
    if (!symbol) throw new Problem('unsupported', 'this kafkajs has no createCluster: the pinned version 2.2.4 is needed');
    const cluster = (this.#kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol]!({
      metadataMaxAge: 30_000,
      allowAutoTopicCreation: false,
      isolationLevel: READ_COMMITTED,
    });
    try {
      await cluster.connect();
      return cluster;
    } catch (error) {
      this.#cluster = undefined;
      throw error;
    }
  }

  async #leaders(topic: string): Promise<Map<number, Broker>> {
    this.#cluster ??= this.#connectCluster();
    const cluster = await this.#cluster;
    await cluster.addTargetTopic(topic).catch(async (error: unknown) => {
      await this.#refuseIfGone(cluster, topic);
      throw error;
    });
    const metadata = cluster.findTopicPartitionMetadata(topic);
    if (metadata.length === 0) throw new TopicLost(topic, `topic ${topic} does not exist`);
    const leaders = new Map<number, Broker>();
    for (const { partitionId, leader } of metadata) leaders.set(partitionId, await cluster.findBroker({ nodeId: leader }));
    return leaders;
  }

  /** One attempt with fresh metadata after a lost connection or a moved leader. */
  async #withLeader<T>(topic: string, partition: number, call: (broker: Broker) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const broker = (await this.#leaders(topic)).get(partition);
        if (!broker) throw new TopicLost(topic, `topic ${topic} has no partition ${partition}`);
        return await call(broker);
      } catch (error) {
        if (error instanceof Problem || attempt >= 4) throw error;
        const cluster = await this.#cluster?.catch(() => undefined);
        if (cluster) await this.#refuseIfGone(cluster, topic);
        await new Promise((resolve) => setTimeout(resolve, 250 * attempt));
        await cluster?.refreshMetadata().catch(() => undefined);
      }
    }
  }

  /** A deleted topic makes kafkajs fail every later refresh of this cluster's metadata: it is forgotten, and said to be gone at once. */
  async #refuseIfGone(cluster: Cluster, topic: string): Promise<void> {
    const existing = await this.listTopics().catch(() => [topic]); // cannot tell: not gone
    if (existing.includes(topic)) return;
    cluster.targetTopics.delete(topic);
    throw new TopicLost(topic, `topic ${topic} does not exist`);
  }

  async #listOffsets(topic: string, timestamp: number, isolationLevel: number): Promise<Map<number, number>> {
    const partitions = [...(await this.#leaders(topic)).keys()];
    const found = new Map<number, number>();
    for (const partition of partitions) {
      const request = listOffsets.request({ replicaId: -1, isolationLevel, topics: [{ topic, partitions: [{ partition, timestamp }] }] });
      await this.#withLeader(topic, partition, async (broker) => {
        const response = { decode: listOffsets.response.decode, parse: (data: unknown) => Promise.resolve(data) };
        const answer = (await broker.connectionPool.send({ request, response })) as Awaited<ReturnType<ListOffsetsCodec['decode']>>;
        const entry = answer.responses[0]?.partitions[0];
        if (!entry || entry.errorCode !== 0) throw new Error(`ListOffsets ${topic}/${partition}: error code ${entry?.errorCode}`);
        found.set(partition, Number(entry.offset));
      });
    }
    return found;
  }

  async #fetch(topic: string, partition: number, offset: number): Promise<FetchedPartition> {
    const request = fetchRequest({
      replicaId: -1,
      maxWaitTime: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: MAX_FETCH_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions: [{ partition, fetchOffset: offset, maxBytes: MAX_FETCH_BYTES }] }],
    });
    return this.#withLeader(topic, partition, async (broker) => {
      const response = { decode: (raw: Buffer) => Promise.resolve(decodeFetch(raw)), parse: (data: unknown) => Promise.resolve(data) };
      const fetched = (await broker.connectionPool.send({ request, response })) as FetchedPartition;
      if (fetched.errorCode === 1)
        throw new TopicLost(topic, `${topic}/${partition} has no offset ${offset}: records were removed or the topic was re-created`);
      if (fetched.errorCode !== 0) throw new Error(`Fetch ${topic}/${partition}: error code ${fetched.errorCode}`);
      return fetched;
    });
  }
}
