// An incremental snapshot: asked for by a signal in Kafka, told by notifications. Between two chunks the connector waits for a change in the log; on a quiet
// database we give it one.
import type pg from 'pg';
import type { KafkaPort } from '../clients/kafka.js';
import { includePattern } from '../connectors/debezium-postgres.js';
import type { MigrationRef } from '../domain/ledger.js';
import { namesOf } from '../domain/names.js';
import { hasStarted, type SnapshotNotification } from '../domain/snapshot-progress.js';
import { emitMarker } from './barrier.js';

const ASK_AGAIN_MS = 20_000; // a connector that was just starting may not have been listening yet

export class SnapshotSignal {
  readonly #kafka: KafkaPort;
  readonly #ref: MigrationRef;
  readonly #client: pg.ClientBase;
  #askedAt = 0;

  constructor(kafka: KafkaPort, ref: MigrationRef, client: pg.ClientBase) {
    this.#kafka = kafka;
    this.#ref = ref;
    this.#client = client;
  }

  /** Call it again and again with all notifications so far. Asks until the connector says that it has begun, and not once more. */
  async advance(notifications: readonly SnapshotNotification[]): Promise<void> {
    if (!hasStarted(notifications, 'incremental') && Date.now() - this.#askedAt > ASK_AGAIN_MS) {
      await this.#ask();
      this.#askedAt = Date.now();
    }
    await emitMarker(this.#client, this.#ref, 'chunk');
  }

  async #ask(): Promise<void> {
    const { signalTopic, topicPrefix } = namesOf(this.#ref.spec, this.#ref.generation);
    const data = { 'data-collections': this.#ref.spec.spec.source.tables.map(includePattern), type: 'incremental' };
    const writer = this.#kafka.openWriter();
    await writer.write(signalTopic, {
      key: topicPrefix,
      value: JSON.stringify({ id: `${this.#ref.runKey}-${this.#ref.generation}`, type: 'execute-snapshot', data }),
    });
    await writer.flush();
  }
}
