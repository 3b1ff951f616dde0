// Topics: one for each table, those of the scaffolding, and the pipeline's output.
import type { KindPlan } from './owned-kind.js';

export const topicKind = {
  label: 'topic',
  undo: 'removeTopic',
  planned: ({ topics, cluster }) =>
    topics.map((name) => ({ kind: 'topic', name, where: cluster }) as const),
  /**
   * The connector writes no barriers and notifications after the hand-over, but still its
   * heartbeats.
   */
  atComplete: ({ logTopics, names }, { name }) =>
    name !== names.heartbeatTopic && [...logTopics, names.windowTopic].includes(name)
      ? 'remove'
      : 'keep',
} as const satisfies KindPlan;
