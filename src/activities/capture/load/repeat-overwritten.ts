// Repeats the changes that an initial load in chunks overwrote (compare/overwritten-changes.ts says
// how that happens). The connector is stopped meanwhile. Otherwise, a repeated change could
// overwrite a newer one.
import type { KafkaPort, PartitionEnds } from '../../../clients/kafka/kafka.js';
import { rangeOf } from '../../../clients/kafka/record-batch.js';
import { readRecords, type KafkaRecord } from '../../../clients/kafka/records.js';
import { withSource } from '../../../clients/postgres/connection.js';
import { insertLsn } from '../../../clients/postgres/wal-position.js';
import { OverwrittenChanges } from '../../../compare/overwritten-changes.js';
import { Problem } from '../../../domain/failure.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { durationMs } from '../../../domain/values/duration.js';
import { connectorAcknowledged } from '../../barrier/connector-acknowledged.js';
import { beat, pollUntil, stopIfCancelled } from '../../runtime/poll-until.js';
import type { Planned } from '../../runtime/with-plan.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { readCaptured, checkedPartitions, decodingOf, type Decoding } from '../captured-records.js';
import { stopSurely, untilRunning } from '../connectors/connector-state.js';

/** A transaction that its producer left open ends by itself after a minute. */
const OPEN_TRANSACTION_MS = 120_000;

/**
 * Repeats the overwritten changes, and returns how many rows had one. Afterwards, the connector is
 * running. Safe to repeat, also after an attempt that stopped the connector and died.
 */
export async function repeatOverwritten(deps: CaptureDeps, run: Planned): Promise<number> {
  const { secret, systems } = deps;
  const { plan } = run;
  const rest = systems.connect(plan);
  const kafka = systems.kafka(plan);
  const { connector } = plan.names;
  const resume = async (): Promise<void> => {
    await rest.resume(connector);
    await untilRunning(rest, connector);
  };
  const topics = plan.captures.map(({ topic }) => new LoadedTopic(kafka, topic));
  for (const topic of topics) await topic.read(await kafka.offsets(topic.name));
  await resume(); // an earlier attempt may have died while the connector was stopped
  await untilOffsetIsBehindLoad(plan, secret);
  if (!(await stopSurely(rest, connector)))
    throw new Problem('connector-gone', `connector ${connector} was deleted during the load`);
  try {
    let rows = 0;
    for (const topic of topics) rows += await topic.repeat();
    return rows;
  } finally {
    await resume();
  }
}

/**
 * Waits until the connector has stored an offset that it read after the load. With an earlier
 * offset, it would read the last chunk again when it is resumed.
 */
async function untilOffsetIsBehindLoad(
  plan: ResolvedPlan,
  secret: CaptureDeps['secret'],
): Promise<void> {
  const deadline = Date.now() + durationMs(plan.spec.catchUp.timeout);
  const late = await withSource(plan, secret, async (client) =>
    connectorAcknowledged(client, plan, await insertLsn(client), deadline),
  );
  if (late !== null) throw new Problem('catch-up-timeout', late);
}

/** A table's topic after the load. */
class LoadedTopic {
  readonly name: string;
  readonly #kafka: KafkaPort;
  readonly #decoding: Decoding | null;
  readonly #parts = new Map<number, { changes: OverwrittenChanges; next: number }>();

  constructor(kafka: KafkaPort, name: string) {
    this.name = name;
    this.#kafka = kafka;
    this.#decoding = decodingOf(kafka);
  }

  /** Reads the records that it has not read yet, up to the ends. */
  async read(ends: readonly PartitionEnds[]): Promise<void> {
    const partitions = checkedPartitions(this.#decoding, ends.length);
    for (const { partition, low, committed: to } of ends) {
      const part = this.#parts.get(partition) ?? { changes: new OverwrittenChanges(), next: 0 };
      this.#parts.set(partition, part);
      const range = { topic: this.name, partition, partitions, to, from: Math.max(part.next, low) };
      await readCaptured(
        this.#kafka,
        range,
        this.#decoding,
        (offset, bytes, keyStart, keyEnd, start, end) =>
          part.changes.add(offset, rangeOf(bytes, keyStart, keyEnd), rangeOf(bytes, start, end)),
        () => beat(),
      );
      part.next = to;
    }
  }

  /** Writes the overwritten changes again. Returns the number of rows that had one. */
  async repeat(): Promise<number> {
    await this.read(await this.#settledEnds());
    const parts = [...this.#parts].map(([partition, { changes }]) => ({
      partition,
      keys: changes.overwritten,
    }));
    const rows = parts.reduce((sum, { keys }) => sum + keys.length, 0);
    if (rows === 0) return 0;
    const writer = this.#kafka.openWriter();
    for (const { partition, keys } of parts)
      for (const { key, value } of await this.#recordsAt(partition, keys.flat())) {
        stopIfCancelled();
        await writer.write(this.name, { key: key!, value });
      }
    await writer.flush();
    await this.read(await this.#settledEnds());
    for (const [partition, { changes }] of this.#parts)
      if (changes.overwritten.length > 0)
        throw new Error(`changes in partition ${partition} of ${this.name} are still overwritten`);
    return rows;
  }

  /** Returns the records at these offsets, as the topic holds them, in the order of the topic. */
  async #recordsAt(partition: number, offsets: readonly number[]): Promise<KafkaRecord[]> {
    const wanted = new Set(offsets);
    const found: KafkaRecord[] = [];
    if (offsets.length === 0) return found;
    const sorted = [...offsets].sort((a, b) => a - b);
    const range = { topic: this.name, partition, from: sorted[0]!, to: sorted.at(-1)! + 1 };
    const take = (record: KafkaRecord): void => {
      if (!wanted.has(record.offset)) return;
      const { key, value } = record;
      found.push({ ...record, key: key && Buffer.from(key), value: value && Buffer.from(value) });
    };
    await readRecords(this.#kafka, range, take, () => beat());
    return found;
  }

  /** Returns the ends when no transaction is open. */
  async #settledEnds(): Promise<readonly PartitionEnds[]> {
    const ends = await pollUntil(Date.now() + OPEN_TRANSACTION_MS, 100, async () => {
      const now = await this.#kafka.offsets(this.name);
      return now.every(({ committed, high }) => committed === high) ? now : null;
    });
    if (ends) return ends;
    throw new Problem('catch-up-timeout', `a transaction in ${this.name} does not end`);
  }
}
