// Requests an incremental snapshot with a signal in Kafka, and follows the notifications of the
// snapshot. Between two chunks of rows, the connector waits for a change in the WAL. A quiet
// database writes no changes to the WAL, so this code writes a marker.
import type pg from 'pg';
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import { includePattern } from '../../../connectors/debezium-postgres.js';
import {
  hasStarted,
  mustAsk,
  type SnapshotNotification,
} from '../../../domain/capture/snapshot-progress.js';
import { emitMarker } from '../../barrier/connector-acknowledged.js';
import type { Planned } from '../../runtime/with-plan.js';
import { untilCommitsAreSeen } from './slot-wait.js';

const MOST_ASKED = 10;

export class SnapshotSignal {
  readonly #kafka: KafkaPort;
  readonly #run: Planned;
  readonly #client: pg.ClientBase;
  #askedAt = 0;
  #asked = 0;
  #notified = 0;
  #notifiedAt = Date.now();

  constructor(kafka: KafkaPort, run: Planned, client: pg.ClientBase) {
    this.#kafka = kafka;
    this.#run = run;
    this.#client = client;
  }

  /**
   * True while the signal may be sent again. If a connector restarts during the scan, its old task
   * loses the connection to the source. The task may then report a table's scan as failed and skip
   * the other tables. In this case, the signal must be sent again.
   */
  get mayAskAgain(): boolean {
    return this.#asked < MOST_ASKED;
  }

  /**
   * Sends the signal until the connector reports that the snapshot has started. Sends it again if
   * the snapshot has failed, or if notifications stop. Before the first signal, waits until
   * sessions see every commit before the slot's position, because the slot does not stream those
   * commits. Writes a marker in each call, so that the connector reads the next chunk. The caller
   * MUST call `advance` repeatedly, with all notifications so far.
   */
  async advance(notifications: readonly SnapshotNotification[], hasFailed: boolean): Promise<void> {
    const now = Date.now();
    if (notifications.length > this.#notified) {
      this.#notified = notifications.length;
      this.#notifiedAt = now;
    }
    const isStarted = hasStarted(notifications, 'incremental');
    const isDue = mustAsk({
      hasStarted: isStarted,
      hasFailed,
      msSinceAsked: now - this.#askedAt,
      msSinceNotified: now - this.#notifiedAt,
    });
    if (isDue && (!isStarted || this.mayAskAgain)) {
      await this.#ask();
      this.#askedAt = Date.now();
      this.#asked += 1;
    }
    await emitMarker(this.#client, this.#run.plan, 'chunk');
  }

  async #ask(): Promise<void> {
    const { ref, plan } = this.#run;
    const { signalTopic, slot, topicPrefix } = plan.names;
    if (this.#asked === 0) await untilCommitsAreSeen(slot, this.#client);
    const data = {
      'data-collections': plan.tables.map(includePattern),
      type: 'incremental',
    };
    const writer = this.#kafka.openWriter();
    await writer.write(signalTopic, {
      key: topicPrefix,
      value: JSON.stringify({
        id: `${ref.runKey}-${plan.generation}-${this.#asked}`,
        type: 'execute-snapshot',
        data,
      }),
    });
    await writer.flush();
  }
}
