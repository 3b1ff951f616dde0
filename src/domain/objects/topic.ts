// Topics: one for each table, the pipeline's output, and the scaffolding topics, which only the
// migration needs (for barriers, notifications, signals, and the rows that Flink compares).
import type { KindPlan } from './owned-kind.js';

export const topicKind = {
  label: 'topic',
  undo: 'removeTopic',
  planned: ({ topics, cluster }) =>
    topics.map((name) => ({ kind: 'topic', name, where: cluster }) as const),
  /**
   * The heartbeat topic stays, because the connector still writes heartbeats after the hand-over.
   * It no longer writes barriers and notifications.
   */
  atComplete: ({ logTopics, names }, { name }) =>
    name !== names.heartbeatTopic && [...logTopics, names.windowTopic].includes(name)
      ? 'remove'
      : 'keep',
} as const satisfies KindPlan;
