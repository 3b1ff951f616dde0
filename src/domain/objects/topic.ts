// Describes the topics that Sluice creates: one for each table, the pipeline's output, and the
// scaffolding topics. Only the migration needs these, for markers, notifications, signals, and the
// rows that Flink compares.
import type { KindPlan } from './owned-kind.js';

export const topicKind = {
  label: 'topic',
  undo: 'removeTopic',
  planned: ({ topics, cluster }) =>
    topics.map((name) => ({ kind: 'topic', name, where: cluster }) as const),
  /**
   * The heartbeat topic stays, because Debezium still writes its heartbeats there after the
   * hand-over. It then no longer writes to the scaffolding topics.
   */
  atComplete: ({ logTopics, names }, { name }) =>
    name !== names.heartbeatTopic && [...logTopics, names.windowTopic].includes(name)
      ? 'remove'
      : 'keep',
} as const satisfies KindPlan;
