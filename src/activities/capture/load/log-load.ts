// Watches the initial load of a connector that reads the WAL. Debezium reports the progress of the
// load as notifications in a Kafka topic.
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import { withSource } from '../../../clients/postgres/connection.js';
import { insertLsn } from '../../../clients/postgres/wal-position.js';
import {
  foldNotifications,
  scansOf,
  type SnapshotNotification,
} from '../../../domain/capture/snapshot-progress.js';
import type { TableProgress } from '../../../domain/evidence/ledger-rows.js';
import { Problem } from '../../../domain/failure.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { Lsn } from '../../../domain/values/position.js';
import { durationMs } from '../../../domain/values/duration.js';
import { offsetIsBehindLoad } from './loaded-topic.js';
import { demandNoVanishedRows } from './scanned-again.js';
import { SlotWait } from './slot-wait.js';
import { readCapturedRecords } from '../captured-records.js';
import { pause } from '../../runtime/poll-until.js';
import type { Planned } from '../../runtime/with-plan.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { Failures } from './load-failures.js';
import { SnapshotSignal } from './debezium-signal.js';

/** The time (ms) between two markers, each of which lets the connector read another chunk. */
export const CHUNK_PAUSE_MS = 150;
/** The time (ms) after which a wait for the connector looks again whether the connector failed. */
export const LOOK_MS = 5000;

/**
 * Reads the notification topic until the connector has reported every table's scan as SUCCEEDED.
 * Then waits until it has acknowledged a later position. If a signal starts the load, also sends
 * that signal.
 */
export function watchLog(
  deps: CaptureDeps,
  run: Planned,
  totals: Readonly<Record<string, number>>,
): Promise<TableProgress[]> {
  const { plan } = run;
  if (!plan.capture.loading.isSignalled) return watch(deps, plan, totals, null);
  return withSource(plan, deps.secret, (client) =>
    watch(deps, plan, totals, new SnapshotSignal(deps.systems.kafka(plan), run, client)),
  );
}

/**
 * Appends the topic's notifications, beginning at offset `from`, to `notifications`. Returns the
 * offset where the next call continues.
 */
export async function readNotifications(
  kafka: KafkaPort,
  { names: { notificationTopic } }: ResolvedPlan,
  from: number,
  notifications: SnapshotNotification[],
): Promise<number> {
  const end = (await kafka.offsets(notificationTopic))[0];
  if (!end) return from;
  const range = {
    topic: notificationTopic,
    partition: 0,
    partitions: 0,
    from: Math.max(from, end.low),
    to: end.committed,
  };
  await readCapturedRecords(kafka, range, ({ value }) => {
    if (value) notifications.push(JSON.parse(value.toString()) as SnapshotNotification);
  });
  return end.committed; // an open Kafka transaction is after this offset, so the next call reads it
}

async function watch(
  deps: CaptureDeps,
  plan: ResolvedPlan,
  totals: Readonly<Record<string, number>>,
  signal: SnapshotSignal | null,
): Promise<TableProgress[]> {
  const { secret, systems } = deps;
  const { connector, slot, topicPrefix } = plan.names;
  const { source, catchUp } = plan.spec;
  const kind = signal ? 'incremental' : 'initial';
  const rest = systems.connect(plan);
  const kafka = systems.kafka(plan);
  const deadline = Date.now() + durationMs(catchUp.timeout);
  const notifications: SnapshotNotification[] = [];
  const failures = new Failures();
  const slotWait = new SlotWait(slot, (use) => withSource(plan, secret, use));
  let next = 0;
  let loadedAt: Lsn | null = null;
  for (;;) {
    next = await readNotifications(kafka, plan, next, notifications);
    const progress = foldNotifications(notifications, source.tables, totals, topicPrefix, kind);
    if (progress.failure && !signal?.mayAskAgain)
      throw await failures.explain(rest, connector, progress.failure);
    const isLoaded = progress.completed && !progress.failure;
    loadedAt = isLoaded ? (loadedAt ?? (await withSource(plan, secret, insertLsn))) : null;
    if (loadedAt !== null) {
      const late = await offsetIsBehindLoad(plan, secret, loadedAt, Date.now() + LOOK_MS);
      // the connector may have begun another scan before it stored its offset
      const last = await readNotifications(kafka, plan, next, notifications);
      if (last > next) loadedAt = null;
      else if (late === null) return checked(deps, plan, notifications, progress.tables);
      next = last;
    }
    await failures.check(rest, connector);
    if (!signal) await slotWait.check();
    if (Date.now() > deadline)
      throw new Problem(
        'catch-up-timeout',
        `the initial load is not complete after ${catchUp.timeout}`,
      );
    // after the load, another signal would start another scan
    if (loadedAt === null) await signal?.advance(notifications, progress.failure !== null);
    await pause(signal ? CHUNK_PAUSE_MS : 500, { phase: 'connect', tables: progress.tables });
  }
}

/**
 * Returns the progress of a load. Throws if the connector scanned the tables again, and the topics
 * keep rows that were deleted in between.
 */
async function checked(
  deps: CaptureDeps,
  plan: ResolvedPlan,
  notifications: readonly SnapshotNotification[],
  tables: TableProgress[],
): Promise<TableProgress[]> {
  if (scansOf(notifications) > 1) await demandNoVanishedRows(deps, plan, tables);
  return tables;
}
