// The initial load of a connector, watched through Debezium's notifications or through its topics,
// and the connector's reconfiguration at the hand-over.
import { rangeOf } from '../../clients/kafka/record-batch.js';
import { withSource } from '../../clients/postgres/connection.js';
import { handedOverConfig } from '../../connectors/debezium-postgres.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { ConnectRest } from '../../clients/http/connect-rest.js';
import { durationMs } from '../../domain/values/duration.js';
import { remedyOf } from '../../domain/capture/connector-causes.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, TableProgress } from '../../domain/evidence/ledger-rows.js';
import { capturesOf, namesOf, sourceConnectors } from '../../domain/migration/names.js';
import {
  foldNotifications,
  type SnapshotNotification,
} from '../../domain/capture/snapshot-progress.js';
import { reconfigure, taskFailure } from '../objects/connector-state.js';
import type { Deps } from '../runtime/deps.js';
import { pause, pollUntil } from '../runtime/poll-until.js';
import { SlotWait } from '../objects/slot-wait.js';
import { SnapshotSignal } from './snapshot-signal.js';
import { resolve } from '../../domain/plan/resolve.js';
import { markSource } from './source-mark.js';

const FAILED_LIMIT_MS = 90_000;
const CAUSE_WITHIN_MS = 10_000;
const PROGRESS_EVERY_MS = 1000;
const CHUNK_PAUSE_MS = 150;

export function createConnectActivities(deps: Deps) {
  const { systems } = deps;

  /** Appends what is new from offset `from` on; returns where to read on. */
  async function readNotifications(
    ref: MigrationRef,
    from: number,
    notifications: SnapshotNotification[],
  ): Promise<number> {
    const { notificationTopic } = namesOf(ref.spec, ref.generation);
    const kafka = systems.kafka(ref.spec);
    const end = (await kafka.offsets(notificationTopic))[0];
    if (!end) return from;
    await kafka.readRange(
      notificationTopic,
      0,
      Math.max(from, end.low),
      end.committed,
      (_offset, bytes, _keyStart, _keyEnd, start, end) => {
        const value = rangeOf(bytes, start, end);
        if (value) notifications.push(JSON.parse(value.toString()) as SnapshotNotification);
      },
    );
    return end.committed; // an open transaction is read when it ends
  }

  async function watch(
    ref: MigrationRef,
    totals: Readonly<Record<string, number>>,
    signal: SnapshotSignal | null,
  ): Promise<TableProgress[]> {
    const { connector, slot, topicPrefix } = namesOf(ref.spec, ref.generation);
    const { source, catchUp } = ref.spec.spec;
    const kind = signal ? 'incremental' : 'initial';
    const rest = systems.connect(ref.spec);
    const deadline = Date.now() + durationMs(catchUp.timeout);
    const notifications: SnapshotNotification[] = [];
    const failures = new Failures();
    const slotWait = new SlotWait(slot, (use) => withSource(ref.spec, deps.secret, use));
    let next = 0;
    for (;;) {
      next = await readNotifications(ref, next, notifications);
      const progress = foldNotifications(notifications, source.tables, totals, topicPrefix, kind);
      if (progress.failure && !signal?.mayAskAgain)
        throw await failures.explain(rest, connector, progress.failure);
      if (progress.completed && !progress.failure) return progress.tables;
      await failures.check(rest, connector);
      if (!signal) await slotWait.check();
      if (Date.now() > deadline)
        throw new Problem(
          'catch-up-timeout',
          `the initial load is not complete after ${catchUp.timeout}`,
        );
      await signal?.advance(notifications, progress.failure !== null);
      await pause(signal ? CHUNK_PAUSE_MS : 500, { phase: 'connect', tables: progress.tables });
    }
  }

  return {
    /**
     * Folds the notification topic until every table's scan is reported SUCCEEDED. Heartbeats
     * progress; safe to repeat.
     */
    async watchSnapshot(
      ref: MigrationRef,
      totals: Readonly<Record<string, number>>,
    ): Promise<TableProgress[]> {
      if (ref.spec.spec.connector.snapshot === 'initial') return watch(ref, totals, null);
      return withSource(ref.spec, deps.secret, (client) =>
        watch(ref, totals, new SnapshotSignal(systems.kafka(ref.spec), ref, client)),
      );
    },

    /**
     * As `watchSnapshot`, for tables that are polled: until all rows that were there when it began
     * have been read.
     */
    async watchPolled(
      ref: MigrationRef,
      totals: Readonly<Record<string, number>>,
    ): Promise<TableProgress[]> {
      const rest = systems.connect(ref.spec);
      const kafka = systems.kafka(ref.spec);
      const captures = capturesOf(ref.spec, ref.generation);
      const counter = new RecordCounter(kafka);
      const progress = async (): Promise<TableProgress[]> => {
        const read = new Map<string, number>();
        for (const { subject, topic } of captures) read.set(subject, await counter.count(topic));
        return Object.entries(totals).map(([table, rowsTotal]) => ({
          table,
          rowsScanned: read.get(table) ?? null,
          rowsTotal,
        }));
      };
      return withSource(ref.spec, deps.secret, async (client) => {
        const mark = await markSource(deps, ref, { snapshot: client, side: client, token: 'load' });
        const deadline = Date.now() + durationMs(ref.spec.spec.catchUp.timeout);
        const failures = new Failures();
        for (;;) {
          const reason = await mark.reached(Date.now() + PROGRESS_EVERY_MS);
          if (reason === null) return progress();
          for (const name of sourceConnectors(ref.spec, ref.generation))
            await failures.check(rest, name);
          if (Date.now() > deadline)
            throw new Problem(
              'catch-up-timeout',
              `the initial load is not complete after ${ref.spec.spec.catchUp.timeout}: ${reason}`,
            );
          await pause(0, { phase: 'connect', tables: await progress() });
        }
      });
    },

    /**
     * Reconfigures the connector at `complete` without the scaffolding topics. An old task's next
     * commit would create the signal group again. Idempotent.
     */
    async handOverConnector(ref: MigrationRef): Promise<void> {
      await reconfigure(
        systems.connect(ref.spec),
        namesOf(ref.spec, ref.generation).connector,
        handedOverConfig(resolve(ref)),
      );
    },
  };
}

/**
 * The time since which each connector has failed. The guard restarts it, so a short failure is not
 * a reason to give up.
 */
class Failures {
  readonly #since = new Map<string, number>();
  #last: string | null = null;

  /** Throws Problem `connector-failed` for one that has been failed for too long. */
  async check(rest: ConnectRest, name: string): Promise<void> {
    const failure = await taskFailure(rest, name);
    if (failure === null) return void this.#since.delete(name);
    const since = this.#since.get(name) ?? Date.now();
    this.#since.set(name, since);
    this.#last = failure;
    if (Date.now() - since > FAILED_LIMIT_MS)
      throw new Problem('connector-failed', `${name}: ${failure}`, remedyOf(failure));
  }

  /**
   * The failed load, with what made the task fail: that comes a moment later, and may be gone again
   * when the guard has restarted it.
   */
  async explain(rest: ConnectRest, name: string, failure: string): Promise<Problem> {
    const cause =
      this.#last ??
      (await pollUntil(Date.now() + CAUSE_WITHIN_MS, 100, () => taskFailure(rest, name)));
    return new Problem(
      'snapshot-failed',
      cause ? `${failure}: ${cause}` : failure,
      remedyOf(cause ?? ''),
    );
  }
}

/** Data records of topics (offsets count markers too); reads on from where it was. */
class RecordCounter {
  readonly #kafka: KafkaPort;
  readonly #next = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  constructor(kafka: KafkaPort) {
    this.#kafka = kafka;
  }

  async count(topic: string): Promise<number> {
    let count = this.#counts.get(topic) ?? 0;
    for (const { partition, low, committed } of await this.#kafka.offsets(topic)) {
      const from = Math.max(low, this.#next.get(`${topic}/${partition}`) ?? 0);
      await this.#kafka.readRange(topic, partition, from, committed, () => void (count += 1));
      this.#next.set(`${topic}/${partition}`, committed);
    }
    this.#counts.set(topic, count);
    return count;
  }
}
