// Finds parts of a spec that cannot be combined with the formats of its topics. A part that cannot
// read or write a format is refused before anything is created.
import { registryProblem } from '../connectors/converters.js';
import type { RegistrySpec } from '../domain/migration/cluster-access.js';
import {
  formatOf,
  resultUses,
  tableFormatOf,
  type FormatUse,
  type RecordFormat,
} from '../domain/migration/topic-format.js';
import { placeholderIssues } from './login-rules.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

const issue = (message: string, ...path: FormatUse['path']): SpecIssue => ({
  path: ['spec', ...path],
  message,
});

export function formatIssues(parsed: ParsedSpec): SpecIssue[] {
  const { spec } = parsed;
  const { registry } = spec.kafka;
  const format = tableFormatOf(spec);
  const results = resultUses(parsed.spec);
  const uses = format === 'json' ? results : [{ format, path: ['kafka', 'format'] }, ...results];
  if (uses.length === 0)
    return registry
      ? [
          issue(
            'is used only for topics in a format other than json; add format: avro to kafka, to pipeline.output or to a stage, or omit registry',
            'kafka',
            'registry',
          ),
        ]
      : [];
  const ofSink = spec.sink && spec.pipeline ? formatOf(spec.pipeline.output) : 'json';
  const found = registry
    ? registryIssues(registry, format !== 'json' || ofSink !== 'json')
    : uses.map((use) =>
        issue(
          `format ${use.format} needs the schema registry; add kafka.registry: { url: ... }`,
          ...use.path,
        ),
      );
  return [
    ...found,
    ...(format === 'json' ? [] : withoutAvro(parsed)),
    ...(ofSink === 'json' || ofSink === 'avro' ? [] : [unreadableBySink(ofSink)]),
  ];
}

const unreadableBySink = (format: RecordFormat): SpecIssue =>
  issue(
    `the sink reads json or avro, and not ${format}, because no converter of Kafka Connect was tested with it; use format: avro, or omit sink`,
    'pipeline',
    'output',
    'format',
  );

function registryIssues(registry: RegistrySpec, isUsedByConnect: boolean): SpecIssue[] {
  const problem = isUsedByConnect ? registryProblem(registry) : null;
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

/**
 * Lists the parts that read from or write to the tables' topics only in JSON. The rules of the
 * captures (domain/capture) refuse `jdbc-source` and `adopt`.
 */
function withoutAvro({ spec }: ParsedSpec): SpecIssue[] {
  const { connector, pipeline, validation } = spec;
  const issues: SpecIssue[] = [];
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

/** Refuses formats other than JSON for `sluice prove`, which writes and reads only JSON. */
export const proofIssues = (parsed: ParsedSpec): SpecIssue[] => [
  ...(tableFormatOf(parsed.spec) === 'json'
    ? []
    : [
        issue(
          'sluice prove writes its topics as JSON only; prove the pipeline with kafka.format: json, or start the migration, whose windows read Avro',
          'kafka',
          'format',
        ),
      ]),
  ...resultUses(parsed.spec).map(({ format, path }) =>
    issue(
      `sluice prove reads results as JSON only; prove the pipeline with format: json, or start the migration, whose windows read ${format}`,
      ...path,
    ),
  ),
];
