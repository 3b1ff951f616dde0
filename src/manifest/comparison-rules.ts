// Finds settings that one command cannot follow, although the spec is valid for another command.
// `sluice compare` creates nothing, and `sluice prove` adopts nothing. A migration without `adopt`
// does not use the objects that `spec.existing` names.
import { whyNotCompared } from '../domain/capture/index.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { existingTopic } from '../domain/plan/comparison-plan.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

const issue = (message: string, ...path: (string | number)[]): SpecIssue => ({
  path: ['spec', ...path],
  message,
});

/**
 * Refuses `spec.existing` without `adopt`, because a migration then creates its own objects. With
 * `adopt`, checks that the topics match the tables.
 */
export function migrationIssues({ spec }: ParsedSpec): SpecIssue[] {
  if (!spec.existing) return [];
  if (spec.adopt) return topicIssues(spec.source.tables, spec.existing.topics);
  return [
    issue(
      'a migration creates its own objects, and only sluice compare uses `existing`. Add adopt: true, so that the migration adopts these objects, or remove `existing`',
      'existing',
    ),
  ];
}

/** Refuses `adopt` for a proof, because a proof writes topics of its own. */
export const proofOfAdopted = ({ spec }: ParsedSpec): SpecIssue[] =>
  spec.adopt
    ? [issue('sluice prove writes topics of its own and adopts nothing; remove adopt', 'adopt')]
    : [];

/**
 * Refuses settings that would make a comparison create something, and topics that do not match the
 * tables.
 */
export function comparisonIssues({ spec }: ParsedSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  if (spec.validation.engine === 'flink')
    issues.push(
      issue(
        'the engine flink needs its own topic, and sluice compare creates nothing; use engine embedded',
        'validation',
        'engine',
      ),
    );
  const whyNot = whyNotCompared({ spec } as Pick<MigrationSpec, 'spec'>);
  if (whyNot !== null) issues.push(issue(whyNot, 'connector', 'type'));
  if (spec.batch)
    issues.push(
      issue(
        'sluice compare does not compare results yet; remove batch, pipeline and sink to compare the tables',
        'batch',
      ),
    );
  const { topics, slot, connector } = spec.existing ?? {};
  if (connector !== undefined && slot === undefined)
    issues.push(issue('needs the slot that it reads; add existing.slot', 'existing', 'connector'));
  return [...issues, ...topicIssues(spec.source.tables, topics)];
}

function topicIssues(
  tables: readonly string[],
  topics: string | Readonly<Record<string, string>> | undefined,
): SpecIssue[] {
  if (topics === undefined) return [];
  if (typeof topics !== 'string')
    return Object.keys(topics)
      .filter((table) => !tables.includes(table))
      .map((table) => issue('is not in source.tables', 'existing', 'topics', table));
  const named = tables.map((table) => existingTopic(topics, table));
  if (new Set(named).size < named.length)
    return [
      issue(
        'gives two tables the same topic; use {schema} and {table}, or name a topic for each table',
        'existing',
        'topics',
      ),
    ];
  const invalid = named.find((name) => !/^[a-zA-Z0-9._-]{1,249}$/.test(name));
  return invalid === undefined
    ? []
    : [issue(`gives ${invalid}, which is not a valid topic name`, 'existing', 'topics')];
}
