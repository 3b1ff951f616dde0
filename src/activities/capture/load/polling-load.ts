// Watches the initial load by connectors that poll. When this activity begins, it marks the newest
// row of each table (in mode bulk, the current snapshot). The load is complete when the connectors
// have reached this mark.
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import { withSource } from '../../../clients/postgres/connection.js';
import type { TableProgress } from '../../../domain/evidence/ledger-rows.js';
import { Problem } from '../../../domain/failure.js';
import { durationMs } from '../../../domain/values/duration.js';
import { pause } from '../../runtime/poll-until.js';
import type { Planned } from '../../runtime/with-plan.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { Failures } from './load-failures.js';
import { markSource } from '../source-mark.js';

const PROGRESS_EVERY_MS = 1000;

/**
 * Waits until the connectors have read up to the newest rows at the time of the call. The
 * activity's heartbeats to Temporal report the progress. Safe to repeat.
 */
export function watchPolling(
  deps: CaptureDeps,
  run: Planned,
  totals: Readonly<Record<string, number>>,
): Promise<TableProgress[]> {
  const { plan } = run;
  const rest = deps.systems.connect(plan);
  const counter = new RecordCounter(deps.systems.kafka(plan));
  const progress = async (): Promise<TableProgress[]> => {
    const read = new Map<string, number>();
    for (const { subject, topic } of plan.captures) read.set(subject, await counter.count(topic));
    return Object.entries(totals).map(([table, rowsTotal]) => ({
      table,
      rowsScanned: read.get(table) ?? null,
      rowsTotal,
    }));
  };
  return withSource(plan, deps.secret, async (client) => {
    const mark = await markSource(deps, run, { snapshot: client, side: client, token: 'load' });
    const { timeout } = plan.spec.catchUp;
    const deadline = Date.now() + durationMs(timeout);
    const failures = new Failures();
    for (;;) {
      const reason = await mark.reached(Date.now() + PROGRESS_EVERY_MS);
      if (reason === null) return progress();
      for (const name of plan.sourceConnectors) await failures.check(rest, name);
      if (Date.now() > deadline)
        throw new Problem(
          'catch-up-timeout',
          `the initial load is not complete after ${timeout}: ${reason}`,
        );
      await pause(0, { phase: 'connect', tables: await progress() });
    }
  });
}

/**
 * Counts the data records of topics, because offsets also count Kafka's transaction markers. Each
 * call continues where the last call stopped.
 */
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
