// Takes a still point, at which results can be compared exactly. While the pipeline gets no new
// input, this code reads the ends of the tables' topics and takes a snapshot of the source. Then it
// waits until the pipeline has processed everything, and reads the ends of the pipeline's topics.
// Only offsets prove a still point. Therefore this code finally reads the ends of all these topics
// again. If anything was written in between, this attempt does not count.
import { durationMs } from '../../../../domain/values/duration.js';
import { movedBetween, type Ends } from '../../../../domain/evidence/still-point.js';
import { because, ok, type OrReason } from '../../../../domain/values/or-reason.js';
import { parseSnapshot, type SnapshotVisibility } from '../../../../domain/values/position.js';
import type { SourceClient } from '../../../../clients/postgres/connection.js';
import { openTarget } from '../../../../clients/postgres/target-connection.js';
import type { KafkaPort, PartitionEnds } from '../../../../clients/kafka/kafka.js';
import { pipelineDrained, sinkDrained } from '../../../barrier/consumers-drained.js';
import { markSource, type SourceMark } from '../../../capture/source-mark.js';
import { whilePaused } from '../../../capture/connectors/connector-pause.js';
import { pause, pollUntil } from '../../../runtime/poll-until.js';
import type { ConnectedSession } from '../../session.js';
import { snapshotText } from '../../tables/visibility.js';

/**
 * The time (ms) between two readings that must agree, for each attempt. The time grows, because a
 * busy broker may be slow.
 */
const BETWEEN_LOOKS_MS = [60, 250, 1000];
/**
 * The time limit (ms) for a still point without a pause. Writers that are never idle during this
 * time are rarely idle later, so a longer wait would seldom help.
 */
const UNPAUSED_MS = 3000;
const POLL_MS = 40;

export interface StillPoint {
  /** The ends of the tables' topics. */
  readonly ends: ReadonlyMap<string, readonly PartitionEnds[]>;
  /** The ends of the compared topics of the pipeline, after it had processed everything. */
  readonly outputs: ReadonlyMap<string, PartitionEnds[]>;
  /** The snapshot that the session's `reader` holds. */
  readonly snapshotText: string;
  readonly snapshot: SnapshotVisibility;
  /** A position after everything that the snapshot sees. */
  readonly mark: SourceMark;
  /**
   * The connection with a snapshot of the sink's table. The caller MUST end the connection. Null
   * without a sink.
   */
  readonly sink: SourceClient | null;
  /** The time (ms) for which the connector was paused. Null if nothing had to be paused. */
  readonly stoodMs: number | null;
}

/** The reason why there is no still point. */
export interface NoStillPoint {
  readonly why: string;
  /**
   * The topics that received records during the attempt: the topics of the tables (`input`) or of
   * the pipeline (`output`). Null if the attempt failed for another reason.
   */
  readonly moved: 'input' | 'output' | null;
}

type Attempt = Omit<StillPoint, 'stoodMs'> | NoStillPoint;

/**
 * Takes a still point. If this succeeds, the session's reader holds the snapshot in an open
 * transaction, which the caller MUST end.
 */
export async function takeStillPoint(
  session: ConnectedSession,
  outputs: readonly string[],
): Promise<StillPoint | NoStillPoint> {
  const { deps, plan, still } = session;
  const limitMs = Math.min(
    still === 'paused'
      ? durationMs(plan.spec.validation.stillPoint.maxPause)
      : still === 'unpaused'
        ? UNPAUSED_MS
        : Infinity,
    Math.max(1000, session.roundsMs),
  );
  let last: NoStillPoint = { why: 'no attempt was made', moved: null };
  const begun = Date.now();
  for (const betweenMs of BETWEEN_LOOKS_MS) {
    const taken = await once(betweenMs);
    if (!('why' in taken)) return taken;
    last = taken;
    if (taken.moved === null || still === 'unpaused' || Date.now() - begun > limitMs) break;
  }
  return last;

  async function once(betweenMs: number): Promise<StillPoint | NoStillPoint> {
    if (still !== 'paused') {
      const found = await look(session, outputs, { deadline: Date.now() + limitMs, betweenMs });
      return 'why' in found ? found : { ...found, stoodMs: null };
    }
    const stood = await whilePaused(deps, session, limitMs, (deadline) =>
      look(session, outputs, { deadline, betweenMs }),
    );
    if (!stood.ok) return { why: stood.reason, moved: null };
    const { value: found, pausedMs } = stood.value;
    return 'why' in found ? found : { ...found, stoodMs: pausedMs };
  }
}

interface Looks {
  readonly deadline: number;
  readonly betweenMs: number;
}

async function look(
  session: ConnectedSession,
  outputs: readonly string[],
  looks: Looks,
): Promise<Attempt> {
  const { deps, kafka, plan, reader, side } = session;
  const { deadline } = looks;
  const topics = plan.captures.map(({ topic }) => topic);
  const agreed = await agreedEnds(kafka, topics, looks);
  if (!agreed.ok) return { why: agreed.reason, moved: 'input' };
  const ends = agreed.value;
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  let sink: SourceClient | null = null;
  try {
    const text = await snapshotText(reader);
    const mark = await markSource(deps, session, { snapshot: reader, side, token: 'still point' });
    const undrained =
      (await pipelineDrained(kafka, plan, deadline)) ?? (await sinkDrained(kafka, plan, deadline));
    if (undrained) return await none({ why: undrained, moved: null });
    const at = await endsOf(kafka, outputs);
    sink = plan.sink ? await sinkSnapshot(session) : null;
    // A pipeline that commits its offsets before it writes its output may still be writing now.
    await pause(looks.betweenMs);
    const [input, output] = [await endsOf(kafka, topics), await endsOf(kafka, outputs)];
    const why = movedBetween(ends, input);
    if (why) return await none({ why, moved: 'input' });
    const late = movedBetween(at, output);
    if (late) return await none({ why: `the pipeline was drained, but ${late}`, moved: 'output' });
    const snapshot = parseSnapshot(text);
    return { ends, outputs: at, snapshotText: text, snapshot, mark, sink };
  } catch (error) {
    await none(null);
    throw error;
  }

  async function none<T>(result: T): Promise<T> {
    await sink?.end().catch(() => undefined);
    await reader.query('ROLLBACK').catch(() => undefined);
    return result;
  }
}

/**
 * Reads the ends until two readings in a row agree. If they do not agree before the deadline,
 * returns a reason that names the topics that still received records.
 */
async function agreedEnds(
  kafka: KafkaPort,
  topics: readonly string[],
  { deadline, betweenMs }: Looks,
): Promise<OrReason<ReadonlyMap<string, PartitionEnds[]>>> {
  let moved = '';
  const agreed = await pollUntil(deadline, POLL_MS, async () => {
    const before = await endsOf(kafka, topics);
    await pause(betweenMs);
    const after = await endsOf(kafka, topics);
    moved = movedBetween(before, after) ?? '';
    return moved === '' ? after : null;
  });
  return agreed === null ? because(`${moved} at the time limit`) : ok(agreed);
}

async function endsOf(
  kafka: KafkaPort,
  topics: readonly string[],
): Promise<Map<string, PartitionEnds[]>> {
  const ends = topics.map(async (topic) => [topic, await kafka.offsets(topic)] as const);
  return new Map(await Promise.all(ends)) satisfies Ends;
}

/**
 * Opens a snapshot for the sink on a new connection. The reader's snapshot is older, so it does not
 * see the rows that the sink has just written.
 */
async function sinkSnapshot({ plan, deps }: ConnectedSession): Promise<SourceClient> {
  const client = await openTarget(plan, deps.secret, { readOnly: true });
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query('SELECT pg_current_snapshot()');
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
