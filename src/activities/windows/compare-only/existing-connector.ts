// Checks, read-only, a connector that Sluice did not create. The connector must read the named
// slot, and must write values in the form that the comparison decodes.
import type { ConnectRest } from '../../../clients/http/connect-rest.js';
import { debeziumPostgresConfig } from '../../../connectors/debezium-postgres.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';

/** The settings that decide which slot is read, and how a row becomes a record. */
const DECIDING: readonly string[] = [
  'connector.class',
  'database.dbname',
  'slot.name',
  'decimal.handling.mode',
  'time.precision.mode',
  'interval.handling.mode',
  'binary.handling.mode',
  'key.converter',
  'key.converter.schemas.enable',
  'value.converter',
  'value.converter.schemas.enable',
];
/** Settings that change keys or records. Sluice's own connectors do not have them. */
const CHANGING: readonly string[] = ['transforms', 'message.key.columns', 'post.processors'];

/** Returns why the connector's records cannot be compared. Null if they can be compared. */
export async function connectorProblem(
  rest: Pick<ConnectRest, 'config'>,
  plan: ResolvedPlan,
  name: string,
): Promise<string | null> {
  const stored = await rest.config(name);
  if (!stored) return `connector ${name} does not exist at Kafka Connect (existing.connector)`;
  const needed = debeziumPostgresConfig(plan);
  const differs = [...DECIDING, ...CHANGING].filter((key) => stored[key] !== needed[key]);
  if (differs.length === 0) return null;
  const pairs = differs.map(
    (key) => `${key} is ${stored[key] ?? '(default)'}, not ${needed[key] ?? '(none)'}`,
  );
  return `connector ${name} writes records that this comparison does not decode: ${pairs.join(', ')}`;
}
