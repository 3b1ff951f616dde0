// What a spec must say where batch and stream write the same table.
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

export function sharedTableIssues({ spec }: ParsedSpec): SpecIssue[] {
  const { batch, sink, cutover, validation, source } = spec;
  const { route } = cutover;
  if (route.type !== 'postgres-table') return [];
  const issues: SpecIssue[] = [];
  const add = (message: string, ...path: string[]): void =>
    void issues.push({ path: ['spec', ...path], message });
  if (!batch || !sink) {
    add(
      'a route by table needs spec.batch and spec.sink: both write the table',
      'cutover',
      'route',
    );
    return issues;
  }
  if (batch.result.table !== route.table)
    add(`must be the batch's result table, ${batch.result.table}`, 'cutover', 'route', 'table');
  if (sink.table !== route.table)
    add(
      `must be the route's table, ${route.table}: until the commit the stream writes a table of ours beside it`,
      'sink',
      'table',
    );
  if (route.batchRole === route.streamRole)
    add(
      'must be another role than batchRole: the table tells the two apart by their roles',
      'cutover',
      'route',
      'streamRole',
    );
  if (route.streamRole === source.postgres.user)
    add(
      `must be another role than the one that Sluice connects as, ${source.postgres.user}: only the sink's sessions may pass for the stream`,
      'cutover',
      'route',
      'streamRole',
    );
  if (source.tables.includes(route.table))
    add(
      'is one of source.tables: what the pipeline reads is not what it writes',
      'cutover',
      'route',
      'table',
    );
  if (validation.closedKeys)
    add(
      'closed keys compare what the batch stores, and from the commit on the stream stores there: leave them out, or use a route by view',
      'validation',
      'closedKeys',
    );
  return issues;
}
