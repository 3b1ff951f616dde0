// Gives the verdict on one topic or on the sink, after it was compared with the rows of its query.
import type { CanaryResult } from '../../../../compare/canary.js';
import type { Examined } from '../../../../compare/examine-suspects.js';
import { comparedOf, type Counts } from '../../../../domain/evidence/counts.js';
import type { Difference } from '../../../../domain/evidence/window.js';
import type { PartitionEnd } from '../../../../domain/evidence/still-point.js';
import { measured, type SubjectOutcome } from '../../subject-outcome.js';
import type { ComparedQuery, SideCounted } from '../compared-queries.js';
import type { StillPoint } from './still-point.js';

export interface Taken {
  readonly point: StillPoint;
  /** The number of rows in each table's gap. */
  readonly aligned: Readonly<Record<string, number>>;
  /** The time at which the window began to compare results (epoch ms). */
  readonly started: number;
  /** The database of the sink's table, if it is not the source. */
  readonly sinkIn: string | null;
}

/** The findings on one side: in the topic of a query, or in its sink. */
export interface ExactSide extends Examined {
  readonly isSink: boolean;
  /** The number of rows of the query. */
  readonly rows: number;
  readonly counted: SideCounted;
  readonly canary: CanaryResult;
  /** The refused records of the topic. Null for a sink, because a sink has no records. */
  readonly refused: {
    readonly unreadable: number;
    readonly differences: readonly Difference[];
  } | null;
  /** Says how much disk the comparison used. Absent if it used no disk. */
  readonly note?: string;
}

export function exactOutcome(
  { subject, topic }: Pick<ComparedQuery, 'subject' | 'topic'>,
  { point, aligned, started, sinkIn }: Taken,
  { isSink, rows, counts: found, differences, counted, canary, refused, note }: ExactSide,
): SubjectOutcome {
  const counts = { ...found, unknown: found.unknown + (refused?.unreadable ?? 0) };
  const result = measured({
    subject: isSink ? `${subject}@sink` : subject,
    mode: 'exact',
    counts,
    proofs: {
      barrier: emptyProblem(counts),
      ...counted,
      canaryPlanted: canary.planted,
      canaryFound: canary.found,
    },
    differences: [...differences, ...(refused?.differences ?? [])],
    position: point.mark.lsn,
    durationMs: Date.now() - started,
    proof: {
      topic,
      rows,
      snapshot: point.snapshotText,
      ...(isSink && sinkIn !== null ? { sinkIn } : {}),
      stillPoint: {
        stoodMs: point.stoodMs,
        ends: offsetsOf(point.ends),
        output: offsetsOf(new Map([[topic, point.outputs.get(topic) ?? []]])),
        aligned,
      },
    },
  });
  const { verdict, reason } = result.verdict;
  const how = [reason, stoodText(point, aligned), ...(note ? [note] : [])].join('; ');
  return { ...result, verdict: { verdict, reason: how } };
}

const emptyProblem = (counts: Counts): string | null =>
  comparedOf(counts) === 0 ? 'compared 0 keys: two empty sides prove nothing' : null;

/** Returns the last stable offsets, by topic and partition. */
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
