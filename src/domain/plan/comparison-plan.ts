// Derives the plan of a comparison without a migration. It has the subjects that a migration would
// have, but uses topics and a slot that already exist.
import { parseTableName } from '../migration/names.js';
import type { MigrationSpec } from '../migration/spec.js';
import { resolve } from './resolve.js';
import type { ResolvedPlan } from './resolved-plan.js';

/**
 * Returns the name of a table's topic, from a pattern. Characters that Kafka forbids become `_`.
 */
export function existingTopic(pattern: string, text: string): string {
  const { schema, table } = parseTableName(text);
  return pattern
    .replaceAll('{schema}', schema)
    .replaceAll('{table}', table)
    .replaceAll(/[^a-zA-Z0-9._-]/g, '_');
}

export interface ComparisonPlan {
  readonly plan: ResolvedPlan;
  /**
   * The slot whose confirmed position shows how far the connector has read. Null if `spec.existing`
   * is given without a slot.
   */
  readonly slot: string | null;
  /** The connector whose configuration is checked. Null if the spec names none. */
  readonly connector: string | null;
}

/**
 * Returns the plan. Without `existing`, it uses the names that a migration of this spec gives to
 * its first generation.
 */
export function comparisonPlan(spec: MigrationSpec): ComparisonPlan {
  const plan = resolve({ spec, generation: 1 });
  const { existing } = spec.spec;
  if (!existing) return { plan, slot: plan.names.slot, connector: null };
  const { topics } = existing;
  const topicOf = (subject: string, planned: string): string =>
    typeof topics === 'string' ? existingTopic(topics, subject) : (topics?.[subject] ?? planned);
  const slot = existing.slot ?? null;
  return {
    slot,
    connector: existing.connector ?? null,
    plan: {
      ...plan,
      names: { ...plan.names, slot: slot ?? plan.names.slot },
      captures: plan.captures.map((capture) => ({
        ...capture,
        topic: topicOf(capture.subject, capture.topic),
      })),
    },
  };
}
