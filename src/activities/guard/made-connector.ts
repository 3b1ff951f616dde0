// Asks the ledger whether a connector belongs to this migration. Another person can create a
// connector with a planned name after the preflight, so the name alone proves nothing.
import { connectPlace } from '../../domain/migration/connect-control.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';

/** Returns whether this migration created the connector and has not removed it. */
export async function isMade(
  { ledger }: Pick<Deps, 'ledger'>,
  { ref, plan }: Planned,
  name: string,
): Promise<boolean> {
  const object = { kind: 'connector', name, where: connectPlace(plan.spec.connector) } as const;
  return (await ledger.objectState(ref, object)) === 'created';
}
