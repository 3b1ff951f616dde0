// Maintains the list of topics that a kafkajs connection asks its brokers about. If one of these
// topics is deleted, every later refresh of the metadata fails, even for other topics.
import { Problem } from '../../domain/failure.js';
import type { Cluster } from './kafkajs-internals.js';

/**
 * Thrown if a topic no longer exists, or no longer has offsets that are needed. The caller decides
 * what the loss means for its topic.
 */
export class TopicLost extends Problem {
  readonly topic: string;

  constructor(topic: string, detail: string) {
    super('topic-lost', detail);
    this.topic = topic;
  }
}

/** Says which topics exist. */
export interface TopicList {
  /** Returns the topics that the brokers list. ACLs can hide other topics. */
  readonly listTopics: () => Promise<string[]>;
  /** Throws a Problem if ACLs hide one of the topics. */
  readonly refuseHidden: (topics: readonly string[]) => Promise<void>;
}

export class KnownTopics {
  readonly #topics: TopicList;
  #before: Promise<unknown> = Promise.resolve();

  constructor(topics: TopicList) {
    this.#topics = topics;
  }

  /**
   * Adds the topic to the cluster's list of topics, for one caller at a time. If a refresh fails,
   * kafkajs restores the earlier list. With two callers at once, it could restore deleted topics
   * that the other caller had just removed from the list.
   */
  know(cluster: Cluster, topic: string): Promise<void> {
    const mine = this.#before.then(() =>
      cluster.addTargetTopic(topic).catch(async () => {
        await this.refuseIfGone(cluster, topic);
        await cluster.addTargetTopic(topic); // kafkajs forgot the topic when the call failed
      }),
    );
    this.#before = mine.catch(() => undefined);
    return mine;
  }

  /**
   * Reads the partitions of all known topics again, because kafkajs otherwise caches them for half
   * a minute.
   */
  refresh(cluster: Cluster): Promise<void> {
    const mine = this.#before.then(() =>
      cluster.refreshMetadata().catch(async () => {
        await this.#forgetGone(cluster);
        await cluster.refreshMetadata();
      }),
    );
    this.#before = mine.catch(() => undefined);
    return mine;
  }

  /**
   * Throws TopicLost if the topic is gone, and a different Problem if ACLs hide it. Also removes
   * every topic that no longer exists from the cluster's list of topics.
   */
  async refuseIfGone(cluster: Cluster, topic: string): Promise<void> {
    const existing = await this.#forgetGone(cluster);
    // if the brokers return no list, no topic counts as gone
    if (existing === null || existing.includes(topic)) return;
    await this.#topics.refuseHidden([topic]);
    throw new TopicLost(topic, `topic ${topic} does not exist`);
  }

  async #forgetGone(cluster: Cluster): Promise<readonly string[] | null> {
    const existing = await this.#topics.listTopics().catch(() => null);
    for (const known of cluster.targetTopics)
      if (existing?.includes(known) === false) cluster.targetTopics.delete(known);
    return existing;
  }
}
