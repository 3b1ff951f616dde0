// Builds the pairs that a window compares. A pair is a query and the topic that should have the
// same rows. The polled tables come first, then the stages of the batch, and then its result.
import type { Proofs } from '../../../domain/evidence/verdict.js';
import { describeQuery } from '../../../clients/postgres/catalog.js';
import type { Shape } from '../../../compare/row-comparison.js';
import type { OutputFold } from '../../../compare/output-fold.js';
import { SettledComparison } from '../../../compare/settled.js';
import {
  formatOf,
  tableFormatOf,
  type RecordFormat,
} from '../../../domain/migration/topic-format.js';
import type { Lsn } from '../../../domain/values/position.js';
import { currentSinkTable } from '../../capture/connectors/current-sink.js';
import { adapterOf } from '../../capture/index.js';
import type { ConnectedSession, ResultSession } from '../session.js';
import { columnsToCompare } from '../columns-to-compare.js';

/**
 * Two counts of one side: the rows that a separate statement counted, and the rows that were read.
 */
export type SideCounted = Pick<Proofs, 'countedRows' | 'readRows'>;

const NOTHING_READ: SideCounted = { countedRows: null, readRows: 0 };

export interface ComparedQuery {
  /** A polled table, `query`, the name of a stage, or `result`. */
  readonly subject: string;
  /** True if Sluice created the topic. */
  readonly isTopicOwned: boolean;
  /** True for tables, which may be empty. A result must not be empty. */
  readonly isTable: boolean;
  readonly sql: string;
  readonly shape: Shape;
  readonly topic: string;
  readonly format: RecordFormat;
  readonly fold: OutputFold;
  readonly topicSide: SettledComparison;
  /** The sink's table. Only the result has a sink. */
  readonly sink: {
    readonly table: string;
    readonly side: SettledComparison;
    /** The counts of the last round. */
    counted: SideCounted;
  } | null;
  /** The rows that the query last returned. Null before its first run. */
  taken: {
    readonly expected: ReadonlyMap<string, string | null>;
    readonly counted: number | null;
    readonly lsn: Lsn;
  } | null;
}

export const sidesOf = ({ topicSide, sink }: ComparedQuery): SettledComparison[] => [
  topicSide,
  ...(sink ? [sink.side] : []),
];

/**
 * Builds the pairs for captured subjects that are compared in settled mode. Each pair consists of a
 * query for the subject's current rows, and the subject's topic.
 */
async function settledSubjects({
  ref,
  plan,
  folds,
  reader,
}: ConnectedSession): Promise<ComparedQuery[]> {
  const subjects = await adapterOf(plan).settled(reader, plan, plan.capture);
  return subjects.map(({ subject, topic, sql, columns, key, notCapturable }) => {
    const shape: Shape = { key, columns: columnsToCompare(plan, columns, key, subject) };
    return {
      subject,
      isTopicOwned: true,
      isTable: true,
      sql,
      shape,
      topic,
      format: tableFormatOf(plan.spec),
      fold: folds.output(ref, topic, shape, 'after'),
      topicSide: new SettledComparison(shape, { notCapturable: notCapturable(shape) }),
      sink: null,
      taken: null,
    };
  });
}

export async function buildComparedQueries(session: ResultSession): Promise<ComparedQuery[]> {
  const { ref, plan, folds, reader, target } = session;
  const { batch, pipeline, sink } = plan.spec;
  const comparedQueries = await settledSubjects(session);
  if (!batch || !pipeline) return comparedQueries;
  const result = {
    name: 'result',
    query: batch.query,
    key: batch.result.key,
    topic: pipeline.output.topic,
    format: pipeline.output.format,
  };
  for (const subject of [...batch.stages, result]) {
    const { name, query, key, topic } = subject;
    const shape: Shape = {
      key,
      columns: columnsToCompare(plan, await describeQuery(reader, query.sql), key, name),
    };
    comparedQueries.push({
      subject: name,
      isTopicOwned: name === 'result',
      isTable: false,
      sql: query.sql,
      shape,
      topic,
      format: formatOf(subject),
      fold: folds.output(ref, topic, shape),
      topicSide: new SettledComparison(shape),
      sink:
        name === 'result' && sink
          ? {
              table: await currentSinkTable(target, session),
              side: new SettledComparison(shape),
              counted: NOTHING_READ,
            }
          : null,
      taken: null,
    });
  }
  return comparedQueries;
}
