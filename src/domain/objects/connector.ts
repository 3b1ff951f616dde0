// Describes the connectors that Sluice creates. These are one source connector that reads the WAL,
// or one for each polled table or query, and the sink's connector.
import { connectPlace } from '../migration/connect-control.js';
import type { OwnedObject } from '../evidence/ledger-rows.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import type { KindPlan } from './owned-kind.js';

export const connectorKind = {
  label: 'connector',
  undo: 'removeConnector',
  planned: (plan) => [...sourceConnectors(plan), ...sinkConnectors(plan)],
  atComplete: () => 'keep',
} as const satisfies KindPlan;

/** Lists the source connectors that Sluice creates. An adopted connector is not one of them. */
export const sourceConnectors = (plan: ResolvedPlan): OwnedObject[] =>
  plan.capture.isAdopted ? [] : plan.sourceConnectors.map((name) => connectorOf(plan, name));

export const sinkConnectors = (plan: ResolvedPlan): OwnedObject[] =>
  plan.sink ? [connectorOf(plan, plan.sink.connector)] : [];

const connectorOf = ({ spec }: ResolvedPlan, name: string): OwnedObject => ({
  kind: 'connector',
  name,
  where: connectPlace(spec.connector),
});
