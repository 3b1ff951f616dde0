// Finds parts of a spec that cannot be combined with the format of the tables' topics. A part that
// cannot read or write the format is refused before anything is created.
import { registryProblem } from '../connectors/converters.js';
import type { RegistrySpec } from '../domain/migration/cluster-access.js';
import { placeholderIssues } from './login-rules.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

const issue = (message: string, ...path: string[]): SpecIssue => ({
  path: ['spec', ...path],
  message,
});

export function formatIssues(parsed: ParsedSpec): SpecIssue[] {
  const { format = 'json', registry } = parsed.spec.kafka;
  if (format === 'json')
    return registry
      ? [issue('belongs to format avro; add format: avro, or omit it', 'kafka', 'registry')]
      : [];
  const missing = registry
    ? registryIssues(registry)
    : [
        issue(
          'format avro needs the schema registry; add kafka.registry: { url: ... }',
          'kafka',
          'format',
        ),
      ];
  return [...missing, ...withoutAvro(parsed)];
}

function registryIssues(registry: RegistrySpec): SpecIssue[] {
  const problem = registryProblem(registry);
  const { auth, ca, url } = registry;
  const texts = Object.entries({ url, ca });
  return [
    ...texts
      .filter(([, text]) => text?.includes('${'))
      .map(([key]) =>
        issue(
          'must not contain a placeholder (${...}), because Kafka Connect would send its value to the registry',
          'kafka',
          'registry',
          key,
        ),
      ),
    ...(problem ? [issue(problem.message, 'kafka', 'registry', problem.key)] : []),
    ...(ca !== undefined && !url.startsWith('https:')
      ? [issue('a CA is only used with an https URL', 'kafka', 'registry', 'ca')]
      : []),
    ...(auth && 'passwordFrom' in auth
      ? placeholderIssues(auth.passwordFrom, 'kafka', 'registry', 'auth', 'passwordFrom')
      : []),
    ...(auth && 'tokenFrom' in auth
      ? placeholderIssues(auth.tokenFrom, 'kafka', 'registry', 'auth', 'tokenFrom')
      : []),
  ];
}

/** Lists the parts that read or write only JSON. */
function withoutAvro({ spec }: ParsedSpec): SpecIssue[] {
  const { connector, pipeline, validation } = spec;
  const issues: SpecIssue[] = [];
  if (connector.type === 'jdbc-source')
    issues.push(
      issue(
        'jdbc-source writes JSON only; use debezium-postgres, or kafka.format: json',
        'connector',
        'type',
      ),
    );
  if (connector.snapshot === 'copy')
    issues.push(
      issue(
        'the copy by Sluice writes JSON only; use snapshot initial, or kafka.format: json',
        'connector',
        'snapshot',
      ),
    );
  if (validation.engine === 'flink')
    issues.push(
      issue(
        'the engine flink reads JSON only; use engine embedded, or kafka.format: json',
        'validation',
        'engine',
      ),
    );
  if (pipeline && pipeline.type !== 'external')
    issues.push(
      issue(
        `Sluice's tables for ${pipeline.type} read JSON only; deploy the pipeline yourself (type external), or use kafka.format: json`,
        'pipeline',
        'type',
      ),
    );
  return issues;
}

/** Refuses Avro for `sluice prove`, because that verb writes its topics as JSON. */
export const proofIssues = ({ spec }: ParsedSpec): SpecIssue[] =>
  spec.kafka.format === 'avro'
    ? [
        issue(
          'sluice prove writes its topics as JSON only; prove the pipeline with kafka.format: json, or start the migration, whose windows read Avro',
          'kafka',
          'format',
        ),
      ]
    : [];
