// Finds names in a spec that Kafka, Postgres, Debezium or the sink cannot use. It contacts no
// system.
import { NO_MIGRATION } from '../connectors/debezium-postgres.js';
import { plannedTopics } from '../domain/capture/index.js';
import { namesOf, parseTableName } from '../domain/migration/names.js';
import {
  sinkCanWriteColumn,
  sinkCanWriteTable,
  unwritableColumns,
} from '../domain/migration/sink-names.js';
import { nameProblems } from '../domain/migration/topic-names.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

/**
 * Names contain the number of the generation, so a late generation has longer names. The rules
 * check the names of generation 99, so that a new generation does not fail because of its names.
 */
const LATE_GENERATION = 99;
const LONGEST_IDENTIFIER = 63;

export function nameIssues(parsed: ParsedSpec): SpecIssue[] {
  const spec = parsed as MigrationSpec;
  const prefix = { path: ['spec', 'connector', 'topicPrefix'] };
  const output = spec.spec.pipeline?.output.topic;
  const outputProblems = output === undefined ? [] : nameProblems([output]);
  const topics = nameProblems(plannedTopics(spec, LATE_GENERATION)).map((problem) =>
    outputProblems.includes(problem)
      ? { path: ['spec', 'pipeline', 'output', 'topic'], message: problem }
      : { ...prefix, message: `${problem}: choose a shorter or different connector.topicPrefix` },
  );
  const { slot } = namesOf(spec, LATE_GENERATION);
  const long =
    slot.length > LONGEST_IDENTIFIER
      ? [
          {
            path: ['metadata', 'name'],
            message: `slot ${slot} has more than 63 characters; choose a shorter name`,
          },
        ]
      : [];
  return [
    ...topics,
    ...long,
    ...witnessIssues(spec),
    ...markerIssues(spec),
    ...addressIssues(spec),
    ...sinkIssues(parsed),
  ];
}

/** Returns whether Sluice creates a connector of Debezium. */
const makesDebezium = ({ spec }: MigrationSpec): boolean =>
  spec.connector.type === 'debezium-postgres' && !spec.existing;

/** Refuses a name whose slot could have the name of a witness, `sluice_witness_<process id>`. */
function witnessIssues({ metadata }: MigrationSpec): SpecIssue[] {
  if (!/^witness-\d+$/.test(metadata.name)) return [];
  const message =
    'a migration cannot be called witness-<number>, because the temporary slots of witnesses have such names; choose another name';
  return [{ path: ['metadata', 'name'], message }];
}

function markerIssues(spec: MigrationSpec): SpecIssue[] {
  if (spec.metadata.name !== NO_MIGRATION || !makesDebezium(spec)) return [];
  const message = `a migration cannot be called ${NO_MIGRATION}, because the connectors that earlier migrations handed over would publish its markers, and could fail; choose another name`;
  return [{ path: ['metadata', 'name'], message }];
}

/**
 * Refuses a host, such as an IPv6 address, that Debezium does not accept. Refuses a database that
 * Debezium would not find. Debezium puts the name into a URL without encoding it, and the driver
 * decodes it. A name with a plus sign or a percent sign would then be the name of another database.
 * An encoded name does not help, because Debezium also looks up the slot by that name.
 */
function addressIssues(spec: MigrationSpec): SpecIssue[] {
  const { host, database } = spec.spec.source.postgres;
  if (!makesDebezium(spec)) return [];
  const issue = (key: string, message: string): SpecIssue => ({
    path: ['spec', 'source', 'postgres', key],
    message,
  });
  return [
    ...(/^[\w.-]+$/.test(host)
      ? []
      : [
          issue(
            'host',
            `Debezium refuses the host "${host}", because it allows only letters, digits, dots, hyphens and underscores; use a host name instead of an IPv6 address`,
          ),
        ]),
    ...(/[?%+/]/.test(database)
      ? [
          issue(
            'database',
            `Debezium cannot connect to the database "${database}", because it does not encode ? % + or / in a name; rename the database, or use connector.type jdbc-source`,
          ),
        ]
      : []),
  ];
}

/**
 * Refuses names that the sink cannot write. `doctor` checks the columns that are not in the key.
 */
function sinkIssues({ spec }: ParsedSpec): SpecIssue[] {
  if (!spec.sink) return [];
  const name = parseTableName(spec.sink.table);
  const table = sinkCanWriteTable(name)
    ? []
    : [
        {
          path: ['spec', 'sink', 'table'],
          message: `the sink cannot write to the table "${name.schema}"."${name.table}". A name must not contain any of " \` \\ $ { } or two apostrophes in a row. It must not begin or end with white space, or be in brackets`,
        },
      ];
  const columns = (spec.pipeline?.output.key ?? []).flatMap((column, at) =>
    sinkCanWriteColumn(column)
      ? []
      : [
          {
            path: ['spec', 'pipeline', 'output', 'key', at],
            message: unwritableColumns([column]),
          },
        ],
  );
  return [...table, ...columns];
}
