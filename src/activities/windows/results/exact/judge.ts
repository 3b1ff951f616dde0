// Compares one topic, or the sink, with the rows of its query as of a still point.
import { runCanary } from '../../../../compare/canary.js';
import { Comparison, type StreamRow } from '../../../../compare/comparison.js';
import { refusedDifferences } from '../../../../compare/refused.js';
import { comparedOf, type Counts } from '../../../../domain/evidence/window.js';
import type { PartitionEnd } from '../../../../domain/evidence/still-point.js';
import { measured, type SubjectResult } from '../../subject-result.js';
import type { Computation, SideCounted } from '../computation.js';
import type { QueryRead } from '../rounds.js';
import type { StillPoint } from './still-point.js';

export interface Taken {
  readonly expected: QueryRead;
  readonly point: StillPoint;
  /** The number of rows in the gap, by table. */
  readonly aligned: Readonly<Record<string, number>>;
  /** The time at which the window began to compare results (epoch ms). */
  readonly started: number;
  /** A number that no earlier comparison used. */
  readonly mark: number;
}

interface SinkSide {
  readonly rows: ReadonlyMap<string, StreamRow>;
  readonly counted: SideCounted;
}

const SAMPLE = 8;

/** Compares the topic of a computation with the rows of its query, or the sink's rows if given. */
export function judgeExactly(
  { subject, shape, fold, topic }: Computation,
  { expected: { expected, counted }, point, aligned, started, mark }: Taken,
  sink?: SinkSide,
): SubjectResult {
  const comparison = new Comparison(shape, sink?.rows ?? fold.rows, mark);
  for (const [key, row] of expected) comparison.add(key, row);
  const { counts: found, differences } = comparison.finish();
  const counts = { ...found, unknown: found.unknown + (sink ? 0 : fold.unreadable) };
  const canary = runCanary(shape, sampleOf(expected));
  const result = measured({
    subject: sink ? `${subject}@sink` : subject,
    mode: 'exact',
    counts,
    proofs: {
      barrier: emptyProblem(counts),
      ...(sink?.counted ?? { countedRows: counted, readRows: expected.size }),
      canaryPlanted: canary.planted,
      canaryFound: canary.found,
    },
    differences: [...differences, ...(sink ? [] : refusedDifferences(shape, fold.refused))],
    position: point.mark.lsn,
    durationMs: Date.now() - started,
    proof: {
      topic,
      rows: expected.size,
      snapshot: point.snapshotText,
      stillPoint: {
        stoodMs: point.stoodMs,
        ends: offsetsOf(point.ends),
        output: offsetsOf(new Map([[topic, point.outputs.get(topic) ?? []]])),
        aligned,
      },
    },
  });
  const { verdict, reason } = result.verdict;
  return { ...result, verdict: { verdict, reason: `${reason}; ${stoodText(point, aligned)}` } };
}

const emptyProblem = (counts: Counts): string | null =>
  comparedOf(counts) === 0 ? 'compared 0 keys < 1 required: two empty sides prove nothing' : null;

function sampleOf(expected: ReadonlyMap<string, string | null>): [string, string][] {
  const sample: [string, string][] = [];
  for (const [key, row] of expected) {
    if (row !== null) sample.push([key, row]);
    if (sample.length === SAMPLE) break;
  }
  return sample;
}

/** Returns the stable ends as offsets, by topic and partition. */
const offsetsOf = (
  ends: ReadonlyMap<string, readonly PartitionEnd[]>,
): Record<string, Record<number, number>> =>
  Object.fromEntries(
    [...ends].map(([topic, parts]) => [
      topic,
      Object.fromEntries(parts.map(({ partition, committed }) => [partition, committed])),
    ]),
  );

function stoodText({ stoodMs }: StillPoint, aligned: Taken['aligned']): string {
  const rows = Object.values(aligned).reduce((sum, n) => sum + n, 0);
  const how =
    stoodMs === null
      ? 'at a still point without a pause'
      : `at a still point, the connector was paused for ${(stoodMs / 1000).toFixed(1)} s`;
  return `${how}, ${rows} rows aligned`;
}
