// Describes the consumer groups whose members Sluice starts. These are the connector's group for
// signals, the sink's group, and the groups of a pipeline that Sluice deploys. Kafka creates a
// group when its first member joins. So Sluice claims the group's name in the ledger before it
// starts that member.
import type { OwnedObject } from '../evidence/ledger-rows.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import type { KindPlan } from './owned-kind.js';

export const groupKind = {
  label: 'group',
  undo: 'removeGroup',
  planned: (plan) => [...signalGroups(plan), ...sinkGroups(plan), ...pipelineGroups(plan)],
  atComplete: ({ names }, { name }) => (name === names.signalGroup ? 'remove' : 'keep'),
} as const satisfies KindPlan;

/** Lists the group with which a connector reads the signal for its initial load. */
export const signalGroups = (plan: ResolvedPlan): OwnedObject[] =>
  plan.capture.loading.isSignalled ? [groupOf(plan, plan.names.signalGroup)] : [];

export const sinkGroups = (plan: ResolvedPlan): OwnedObject[] =>
  plan.sink ? [groupOf(plan, plan.sink.group)] : [];

/**
 * Lists the groups of a pipeline that Sluice deploys. The groups of an external pipeline belong to
 * its owner.
 */
export const pipelineGroups = (plan: ResolvedPlan): OwnedObject[] =>
  plan.host.groups.map((name) => groupOf(plan, name));

const groupOf = ({ cluster }: ResolvedPlan, name: string): OwnedObject => ({
  kind: 'group',
  name,
  where: cluster,
});
