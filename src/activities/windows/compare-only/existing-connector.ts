// Checks a connector that Sluice did not create, and changes nothing. The connector must read the
// named slot, and must write values in the form that the comparison decodes.
import type { ConnectControl } from '../../../clients/http/connect-control.js';
import { undecodable } from '../../../connectors/existing-connector.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';

/** Returns why the connector's records cannot be compared, or null if they can be compared. */
export async function connectorProblem(
  rest: Pick<ConnectControl, 'config'>,
  plan: ResolvedPlan,
  name: string,
): Promise<string | null> {
  const stored = await rest.config(name);
  if (!stored) return `connector ${name} does not exist at Kafka Connect (existing.connector)`;
  const pairs = undecodable(plan, stored);
  return pairs.length === 0
    ? null
    : `connector ${name} writes records that this comparison does not decode: ${pairs.join(', ')}`;
}
