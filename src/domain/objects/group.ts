// Consumer groups whose members Sluice starts: the connector's for signals, the sink's, and those
// of a pipeline that Sluice deploys. Their first member makes them, so a group is claimed before
// that member starts.
import type { OwnedObject } from '../evidence/ledger-rows.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import type { KindPlan } from './owned-kind.js';

export const groupKind = {
  label: 'group',
  undo: 'removeGroup',
  planned: (plan) => [...signalGroups(plan), ...sinkGroups(plan), ...pipelineGroups(plan)],
  atComplete: ({ names }, { name }) => (name === names.signalGroup ? 'remove' : 'keep'),
} as const satisfies KindPlan;

/** A connector that is asked for its initial load reads the questions with a group of its own. */
export const signalGroups = (plan: ResolvedPlan): OwnedObject[] =>
  plan.capture.loading.isSignalled ? [groupOf(plan, plan.names.signalGroup)] : [];

export const sinkGroups = (plan: ResolvedPlan): OwnedObject[] =>
  plan.sink ? [groupOf(plan, plan.sink.group)] : [];

/** The groups of an external pipeline are its owner's. */
export const pipelineGroups = (plan: ResolvedPlan): OwnedObject[] =>
  plan.host.url === null
    ? []
    : (plan.spec.pipeline?.groups ?? []).map((name) => groupOf(plan, name));

const groupOf = ({ cluster }: ResolvedPlan, name: string): OwnedObject => ({
  kind: 'group',
  name,
  where: cluster,
});
