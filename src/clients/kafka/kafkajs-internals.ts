// Accesses parts of kafkajs that are not in its public interface: request encoders, brokers and the
// cluster. These parts may change in any version of kafkajs, so Sluice pins one exact version.
import { createRequire } from 'node:module';
import type { Kafka as KafkaJs } from 'kafkajs';
import { Problem } from '../../domain/failure.js';
import type { Coordinator } from './groups.js';

const require = createRequire(import.meta.url);

export const fetchRequest = require('kafkajs/src/protocol/requests/fetch/v11/request') as (
  input: object,
) => object;

export interface Broker {
  readonly connectionPool: { send: (protocol: object) => Promise<unknown> };
  /** The highest versions that the broker supports, by API key. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
  deleteRecords(of: {
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }): Promise<unknown>;
  initProducerId(of: {
    transactionalId: null;
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
}

export interface Cluster {
  readonly targetTopics: Set<string>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(
    topic: string,
  ): { partitionId: number; leader: number; partitionErrorCode: number }[];
  findBroker(query: { nodeId: number }): Promise<Broker>;
  findGroupCoordinator(of: { groupId: string }): Promise<Coordinator>;
}

/**
 * Creates kafkajs' object for a cluster, which can send requests to any broker. Throws Problem
 * `unsupported` if this version of kafkajs cannot create one.
 */
export function createCluster(kafka: KafkaJs, isolationLevel: number): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    (s) => s.description === 'private:Kafka:createCluster',
  );
  if (!symbol)
    throw new Problem(
      'unsupported',
      'this kafkajs has no createCluster: the pinned version 2.2.4 is needed',
    );
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol]!;
  return create.call(kafka, {
    metadataMaxAge: 30_000,
    allowAutoTopicCreation: false,
    isolationLevel,
  });
}
