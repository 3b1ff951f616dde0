// Finds the tables that a Flink SQL pipeline reads as changelogs (`debezium-json`), and checks that
// they can be read in this way.
import { captureOf } from '../domain/capture/index.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { splitStatements } from '../domain/pipelines/split-statements.js';

const DUPLICATES = /^set\s+'table\.exec\.source\.cdc-events-duplicate'\s*=\s*'true'$/i;

/** Returns the tables that the pipeline reads as changelogs, under their names in the spec. */
export function changelogTables({ spec }: Pick<MigrationSpec, 'spec'>): string[] {
  return changelogs(spec.pipeline?.statements?.sql ?? '').flatMap((sql) =>
    [...sql.matchAll(/\$\{topic:([^}]*)\}/g)].map((match) => match[1]!),
  );
}

/**
 * Returns why Flink cannot read a table as the changelog that the pipeline's SQL declares. Null if
 * neither this SQL nor the kind of capture shows a problem.
 */
export function changelogProblem(migration: MigrationSpec): string | null {
  const { spec } = migration;
  const text = spec.pipeline?.statements?.sql ?? '';
  const found = changelogs(text);
  if (found.length === 0) return null;
  const start = (sql: string): string => `"${sql.replaceAll(/\s+/g, ' ').slice(0, 60)}"`;
  if (!captureOf(migration).carriesBefore)
    return `${start(found[0]!)} needs the row before and after every change, but a jdbc-source provides no row before; read \`after\` with upsert-kafka`;
  const keyless = found.find((sql) => !/\bprimary\s+key\b/i.test(sql));
  if (keyless)
    return `${start(keyless)} reads a changelog without PRIMARY KEY, so events that are repeated after a restart would count twice`;
  if (!splitStatements(text).some((sql) => DUPLICATES.test(sql)))
    return `${start(found[0]!)} reads a changelog; add SET 'table.exec.source.cdc-events-duplicate' = 'true', or events that are repeated after a restart count twice`;
  return null;
}

const changelogs = (text: string): string[] =>
  splitStatements(text).filter(
    (sql) =>
      /^create\b/i.test(sql) &&
      /'(?:value\.)?format'\s*=\s*'debezium-json'/i.test(sql) &&
      sql.includes('${topic:'),
  );
