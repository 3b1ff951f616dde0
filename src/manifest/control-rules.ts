// Checks `connector.control`. Some keys belong to Kafka Connect's REST API, and others to Strimzi.
// Some parts of a spec cannot be combined with Strimzi.
import { namesOf } from '../domain/migration/names.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { formatOf, tableFormatOf } from '../domain/migration/topic-format.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

type Add = (message: string, ...path: string[]) => void;

/** Kubernetes names an object with at most 253 of these characters (RFC 1123). */
const OBJECT_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export function controlIssues(parsed: ParsedSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const add: Add = (message, ...path) => void issues.push({ path: ['spec', ...path], message });
  const { control, url, strimzi } = parsed.spec.connector;
  if (control === 'strimzi') {
    strimziKeys(parsed, add);
    combinations(parsed, add);
    objectNames(parsed, add, issues);
    return issues;
  }
  if (url === undefined) add("is missing: the URL of Kafka Connect's REST API", 'connector', 'url');
  if (strimzi)
    add(
      'is used only with control: strimzi; add control: strimzi to connector, or omit the key strimzi',
      'connector',
      'strimzi',
    );
  return issues;
}

function strimziKeys({ spec }: ParsedSpec, add: Add): void {
  const { connector } = spec;
  const { strimzi } = connector;
  for (const key of ['url', 'tls', 'auth'] as const)
    if (connector[key] !== undefined)
      add(
        "belongs to Kafka Connect's REST API, which Sluice does not call with control: strimzi; omit it",
        'connector',
        key,
      );
  if (!strimzi)
    return add(
      'control: strimzi needs strimzi: { namespace, cluster }, the place of the KafkaConnect resource',
      'connector',
      'control',
    );
  for (const key of ['ca', 'tokenFrom'] as const)
    if (strimzi[key] !== undefined && strimzi.apiServer === undefined)
      add(
        'is used only with apiServer; add apiServer, or omit this key. Without apiServer, the worker uses the service account of its pod',
        'connector',
        'strimzi',
        key,
      );
  if (strimzi.ca !== undefined && strimzi.apiServer?.startsWith('http:'))
    add('a certificate is only used with an https URL', 'connector', 'strimzi', 'ca');
}

/** Refuses settings that do not work with Strimzi, or that were never tested with an operator. */
function combinations({ spec }: ParsedSpec, add: Add): void {
  const { connector, sink, pipeline, cutover } = spec;
  if (connector.type === 'jdbc-source')
    add(
      'with control: strimzi, offsets are read through the operator, which is too slow for a connector that polls; use debezium-postgres',
      'connector',
      'type',
    );
  const lists =
    'with control: strimzi, Sluice cannot see whether the converter is installed, because a KafkaConnect resource does not list converters; use json';
  if (tableFormatOf(spec) !== 'json') add(lists, 'kafka', 'format');
  if (sink && pipeline && formatOf(pipeline.output) !== 'json')
    add(lists, 'pipeline', 'output', 'format');
  if (cutover.route.type === 'postgres-table')
    add(
      'with control: strimzi, the operator would reconfigure the sink while writers wait, and its speed is unknown; use route.type: postgres-view',
      'cutover',
      'route',
      'type',
    );
}

/** Refuses names that no Kubernetes object can have. */
function objectNames(parsed: ParsedSpec, add: Add, issues: SpecIssue[]): void {
  const { connector, sinkConnector } = namesOf(parsed as MigrationSpec, 1);
  const expected =
    'the name of a KafkaConnector has a-z, 0-9, - and ., and begins and ends with a letter or digit';
  const existing = parsed.spec.existing?.connector;
  if (existing !== undefined && !OBJECT_NAME.test(existing))
    add(`"${existing}": ${expected}`, 'existing', 'connector');
  if (![connector, sinkConnector].every((name) => OBJECT_NAME.test(name)))
    issues.push({ path: ['metadata', 'name'], message: `connector ${connector}: ${expected}` });
}
