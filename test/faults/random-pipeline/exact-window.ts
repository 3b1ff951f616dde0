// Compares an output with its query as of a still point, at which the pipeline has read all records
// of its input. The comparison needs no connector.
import {
  compareAt,
  prepare,
} from '../../../src/activities/windows/results/exact/compare-exactly.js';
import type { ComparedQuery } from '../../../src/activities/windows/results/compared-queries.js';
import { readPart } from '../../../src/activities/windows/folds/same-topic-log.js';
import type { ConnectedSession } from '../../../src/activities/windows/session.js';
import { describeQuery } from '../../../src/clients/postgres/catalog.js';
import { OutputFold } from '../../../src/compare/output-fold.js';
import { OutputHashes } from '../../../src/compare/output-hashes.js';
import { SettledComparison } from '../../../src/compare/settled.js';
import type { StillPoint } from '../../../src/activities/windows/results/exact/still-point.js';
import type { SubjectOutcome } from '../../../src/activities/windows/subject-outcome.js';
import type { PartitionEnds } from '../../../src/clients/kafka/kafka.js';
import type { RandomQuery } from './queries.js';

type Given = Pick<ConnectedSession, 'ref' | 'plan' | 'kafka' | 'reader' | 'side'>;

interface Compared {
  readonly query: RandomQuery;
  /**
   * One offset for each topic. The snapshot sees the changes of all records below this offset, so
   * the window does not search these records for the gap.
   */
  readonly settledUpTo: Readonly<Record<string, number>>;
  readonly output: string;
  /** The end of the output topic before this run. The comparison ignores older records. */
  readonly before: PartitionEnds;
  readonly point: StillPoint;
}

/** Compares the output of one run with its query, as a window does after its still point. */
export async function compareRun(
  { query, settledUpTo, output, before, point }: Compared,
  given: Given,
): Promise<SubjectOutcome> {
  const columns = await describeQuery(given.side, query.sql);
  const shape = { key: query.key, columns: columns.map(({ name, type }) => ({ name, type })) };
  const fold = new OutputFold(shape);
  fold.readFrom(0, 0);
  fold.readUpTo(readPart(before));
  const hashes = new OutputHashes(shape);
  hashes.readFrom(0, 0);
  hashes.readUpTo(readPart(before));
  const comparedQuery: ComparedQuery = {
    subject: 'result',
    isTopicOwned: true,
    isTable: false,
    sql: query.sql,
    shape,
    topic: output,
    format: 'json',
    fold,
    topicSide: new SettledComparison(shape),
    sink: null,
    taken: null,
  };
  let marks = 0;
  const folds = {
    nextMark: () => (marks += 1),
    outputHashes: () => hashes,
    isOutgrown: () => false,
    roomFor: () => Infinity,
    ofTable: (_ref: unknown, topic: string) => ({ settledUpTo: () => settledUpTo[topic]! }),
  };
  const live = { ...given, folds, heartbeat: () => undefined } as unknown as ConnectedSession;
  const prepared = await prepare(live, [comparedQuery]);
  if (!prepared.ok) throw new Error(`${prepared.reason}: ${query.sql}`);
  const subjects = await compareAt(live, prepared.value, point, Date.now());
  if (!subjects.ok) throw new Error(`${subjects.reason}: ${query.sql}`);
  return subjects.value[0]!;
}
