// Which topics a connection of kafkajs asks its brokers about. One deleted topic makes it fail
// every later refresh, whatever topic that is for.
import { Problem } from '../../domain/failure.js';
import type { Cluster } from './kafkajs-internals.js';

/**
 * A topic, or offsets that we need from it, no longer exist. The caller decides what that means for
 * its topic.
 */
export class TopicLost extends Problem {
  readonly topic: string;

  constructor(topic: string, detail: string) {
    super('topic-lost', detail);
    this.topic = topic;
  }
}

export class KnownTopics {
  readonly #listTopics: () => Promise<string[]>;
  #before: Promise<unknown> = Promise.resolve();

  constructor(listTopics: () => Promise<string[]>) {
    this.#listTopics = listTopics;
  }

  /**
   * Makes the cluster know the topic. One caller at a time: a refresh that fails restores the list
   * from before it, and with it the deleted topics that another caller has just taken out.
   */
  know(cluster: Cluster, topic: string): Promise<void> {
    const mine = this.#before.then(() =>
      cluster.addTargetTopic(topic).catch(async () => {
        await this.refuseIfGone(cluster, topic);
        await cluster.addTargetTopic(topic); // kafkajs forgot it with the failure
      }),
    );
    this.#before = mine.catch(() => undefined);
    return mine;
  }

  /** Throws TopicLost when the topic is gone. Other topics that are gone are forgotten. */
  async refuseIfGone(cluster: Cluster, topic: string): Promise<void> {
    const existing = await this.#listTopics().catch(() => null);
    if (existing === null) return; // cannot tell: not gone
    for (const known of cluster.targetTopics)
      if (!existing.includes(known)) cluster.targetTopics.delete(known);
    if (existing.includes(topic)) return;
    throw new TopicLost(topic, `topic ${topic} does not exist`);
  }
}
