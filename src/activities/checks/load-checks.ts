// Checks whether an initial load can read a table and write all of its columns.
import type { TableCatalog } from '../../clients/postgres/catalog.js';
import { canReplay, capturedColumns } from '../../compare/write-debezium-json.js';
import type { CheckName } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';

/** Makes a finding of a check about one table. */
export type Rule = (
  name: CheckName,
  ok: boolean,
  good: string,
  bad: string,
  remedy: string,
) => void;

/**
 * Checks that the copy (`connector.snapshot: copy`) can write every column exactly as the connector
 * would.
 */
export function checkCopy(rule: Rule, { capture }: ResolvedPlan, { columns }: TableCatalog): void {
  const foreign = capturedColumns(columns, capture).filter((column) => !canReplay(column.type));
  rule(
    'table.copy',
    foreign.length === 0,
    'every column can be copied',
    `the copy cannot write these columns as the connector would: ${foreign.map((c) => `${c.name} (${c.declared})`).join(', ')}`,
    'use connector.snapshot: initial or incremental, so that the connector loads the table',
  );
}

/** Checks that Debezium can read chunks of the table, even if the spec ignores a column. */
export function checkChunks(rule: Rule, { columns }: TableCatalog): void {
  const computed = columns.filter(({ generated }) => generated).map(({ name }) => name);
  rule(
    'table.chunks',
    computed.length === 0,
    'no column is generated, so Debezium can read the table in chunks',
    `Debezium cannot read a table in chunks if it has generated columns: ${computed.join(', ')}. The load would fail`,
    'use connector.snapshot: initial or copy',
  );
}
