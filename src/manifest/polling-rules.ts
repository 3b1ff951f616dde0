// Checks the declarations that polling needs: which rows are new, and how the tables change
// otherwise.
import { durationMs } from '../domain/values/duration.js';
import { DEFAULT_DELAY, looksAtIds, looksAtTimes } from '../domain/migration/polling.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

const POLLING_KEYS = [
  'mode',
  'query',
  'incrementingColumn',
  'timestampColumns',
  'delay',
  'deletes',
] as const;

export function pollingIssues({ spec }: ParsedSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const { connector } = spec;
  const add = (message: string, ...path: string[]): void =>
    void issues.push({ path: ['spec', ...path], message });
  if (connector.type !== 'jdbc-source') {
    for (const key of POLLING_KEYS)
      if (connector[key] !== undefined)
        add(`belongs to connector type jdbc-source`, 'connector', key);
    return issues;
  }
  const { mode } = connector;
  if (connector.snapshot !== 'initial')
    add('a jdbc-source reads everything at its first poll: omit snapshot', 'connector', 'snapshot');
  if (mode === undefined) {
    add(
      'a jdbc-source needs its mode: bulk, incrementing, timestamp or timestamp+incrementing',
      'connector',
    );
    return issues;
  }
  if (looksAtIds(mode) && connector.incrementingColumn === undefined)
    add(`mode ${mode} needs incrementingColumn`, 'connector', 'mode');
  if (!looksAtIds(mode) && connector.incrementingColumn !== undefined && !connector.query)
    add(`mode ${mode} does not use it`, 'connector', 'incrementingColumn');
  if (looksAtTimes(mode) && connector.timestampColumns === undefined)
    add(`mode ${mode} needs timestampColumns`, 'connector', 'mode');
  if (!looksAtTimes(mode) && connector.timestampColumns !== undefined)
    add(`mode ${mode} does not use them`, 'connector', 'timestampColumns');
  if (connector.query && connector.incrementingColumn === undefined)
    add(
      'a query has no primary key: name the integer column that identifies its rows as incrementingColumn',
      'connector',
      'query',
    );
  if (mode === 'bulk' && connector.delay !== undefined)
    add('mode bulk reads everything at every poll: omit delay', 'connector', 'delay');
  const [delay, within] = [connector.delay ?? DEFAULT_DELAY, spec.catchUp.within];
  if (mode !== 'bulk' && durationMs(delay) >= durationMs(within)) {
    add(
      `${within} ≤ connector.delay ${delay}: no barrier can be that fast, rows are read only when they are older than the delay`,
      'catchUp',
      'within',
    );
  }
  if (spec.validation.engine === 'flink')
    add('polled rows have no transaction to join by: use engine embedded', 'validation', 'engine');
  return issues;
}
