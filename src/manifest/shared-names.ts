// Finds topics, subjects of windows and tables that two parts of a spec would share.
import { capturesOf, logTopics } from '../domain/capture/index.js';
import { namesOf, parseTableName, qualified } from '../domain/migration/names.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

export const sharedNameIssues = (parsed: ParsedSpec): SpecIssue[] => [
  ...sharedTopics(parsed),
  ...sharedSubjects(parsed),
  ...sharedTables(parsed),
];

/** A topic, and the part of the spec whose records it contains. */
interface Use {
  readonly topic: string;
  readonly of: string;
  readonly isTable?: boolean;
  readonly path: readonly (string | number)[];
}

function usesOf(parsed: ParsedSpec): Use[] {
  const migration = parsed as MigrationSpec;
  const { batch, pipeline } = parsed.spec;
  return [
    ...logTopics(migration, namesOf(migration, 1)).map((topic) => ({
      topic,
      of: 'the connector',
      path: ['connector', 'topicPrefix'],
    })),
    ...capturesOf(migration, 1).map(({ topic, subject }, at) => ({
      topic,
      of: subject,
      isTable: true,
      path: ['source', 'tables', at],
    })),
    ...(batch?.stages ?? []).map(({ topic, name }, at) => ({
      topic,
      of: `stage ${name}`,
      path: ['batch', 'stages', at, 'topic'],
    })),
    ...(pipeline
      ? [{ topic: pipeline.output.topic, of: 'the result', path: ['pipeline', 'output', 'topic'] }]
      : []),
  ];
}

function sharedTopics(parsed: ParsedSpec): SpecIssue[] {
  const uses = usesOf(parsed);
  return uses.flatMap(({ topic, of, isTable, path }, at) => {
    const other = uses.slice(0, at).find((use) => use.topic === topic);
    if (!other) return [];
    const why =
      isTable && other.isTable
        ? ', because names in Kafka allow fewer characters than names in Postgres'
        : '; give each its own topic';
    const message = `${of} and ${other.of} would share topic ${topic}${why}`;
    return [{ path: ['spec', ...path], message }];
  });
}

function sharedSubjects(parsed: ParsedSpec): SpecIssue[] {
  const stages = parsed.spec.batch?.stages.map((stage) => stage.name) ?? [];
  const captured = capturesOf(parsed as MigrationSpec, 1).map(({ subject }) => subject);
  return stages.flatMap((name, at) =>
    name === 'result' || captured.includes(name) || stages.indexOf(name) < at
      ? [
          {
            path: ['spec', 'batch', 'stages', at, 'name'],
            message: `"${name}" is already the name of another subject`,
          },
        ]
      : [],
  );
}

/** Checks that the sink writes neither the batch's result nor a table that the pipeline reads. */
function sharedTables({ spec }: ParsedSpec): SpecIssue[] {
  const { sink, batch, source, target, cutover } = spec;
  if (!sink || cutover.route.type === 'postgres-table') return [];
  const written = qualified(parseTableName(sink.table));
  const isWritten = (table: string): boolean => qualified(parseTableName(table)) === written;
  const issue = (message: string): SpecIssue => ({ path: ['spec', 'sink', 'table'], message });
  return [
    ...(batch && isWritten(batch.result.table)
      ? [
          issue(
            'is batch.result.table, so the stream would change what consumers read before the cut-over; name another table, or use cutover.route.type: postgres-table',
          ),
        ]
      : []),
    ...(!target && source.tables.some(isWritten)
      ? [issue('is one of source.tables, but the sink must not write to a table that is captured')]
      : []),
  ];
}
