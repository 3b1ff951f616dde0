// Repeats the changes that an initial load in chunks overwrote (compare/overwritten-changes.ts says
// how that happens). The connector is stopped meanwhile. Otherwise, a repeated change could
// overwrite a newer one.
import type { KafkaPort, PartitionEnds } from '../../../clients/kafka/kafka.js';
import { readRecords, type KafkaRecord } from '../../../clients/kafka/records.js';
import { OverwrittenChanges } from '../../../compare/overwritten-changes.js';
import { Problem } from '../../../domain/failure.js';
import { durationMs } from '../../../domain/values/duration.js';
import { beat, pollUntil, stopIfCancelled } from '../../runtime/poll-until.js';
import type { Planned } from '../../runtime/with-plan.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { stopSurely, untilRunning } from '../connectors/connector-state.js';
import { LoadedTopic, offsetIsBehindLoad } from './loaded-topic.js';

/** A transaction that its producer left open ends by itself after a minute. */
const OPEN_TRANSACTION_MS = 120_000;

/**
 * Repeats the overwritten changes, and returns how many rows had one. Afterwards, the connector is
 * running. Safe to repeat, also after an attempt that stopped the connector and died.
 */
export async function repeatOverwritten(
  { secret, systems }: CaptureDeps,
  { plan }: Planned,
): Promise<number> {
  const rest = systems.connect(plan);
  const kafka = systems.kafka(plan);
  const { connector } = plan.names;
  const resume = async (): Promise<void> => {
    await rest.resume(connector);
    await untilRunning(rest, connector);
  };
  const loads = plan.captures.map(({ topic }) => new ChunkedLoad(kafka, topic));
  for (const load of loads) await load.read();
  await resume(); // an earlier attempt may have died while the connector was stopped
  const deadline = Date.now() + durationMs(plan.spec.catchUp.timeout);
  const late = await offsetIsBehindLoad(plan, secret, deadline);
  if (late !== null) throw new Problem('catch-up-timeout', late);
  if (!(await stopSurely(rest, connector)))
    throw new Problem('connector-gone', `connector ${connector} was deleted during the load`);
  try {
    let rows = 0;
    for (const load of loads) rows += await load.repeat();
    return rows;
  } finally {
    await resume();
  }
}

/** The topic of one table after its load in chunks. */
class ChunkedLoad {
  readonly #kafka: KafkaPort;
  readonly #topic: LoadedTopic;
  readonly #changes = new Map<number, OverwrittenChanges>();

  constructor(kafka: KafkaPort, name: string) {
    this.#kafka = kafka;
    this.#topic = new LoadedTopic(kafka, name, (partition, offset, key, value) =>
      this.#changesOf(partition).add(offset, key, value),
    );
  }

  /** Reads what the topic has now, so that the connector is stopped only for the rest. */
  async read(): Promise<void> {
    await this.#topic.readTo(await this.#kafka.offsets(this.#topic.name));
  }

  /** Writes the overwritten changes again. Returns the number of rows that had one. */
  async repeat(): Promise<number> {
    const { name } = this.#topic;
    await this.#topic.readTo(await this.#settledEnds());
    const parts = [...this.#changes].map(([partition, { overwritten: keys }]) => ({
      partition,
      keys,
    }));
    const rows = parts.reduce((sum, { keys }) => sum + keys.length, 0);
    if (rows === 0) return 0;
    const writer = this.#kafka.openWriter();
    for (const { partition, keys } of parts)
      for (const { key, value } of await this.#recordsAt(partition, keys.flat())) {
        stopIfCancelled();
        await writer.write(name, { key: key!, value });
      }
    await writer.flush();
    await this.#topic.readTo(await this.#settledEnds());
    for (const [partition, { overwritten }] of this.#changes)
      if (overwritten.length > 0)
        throw new Error(`changes in partition ${partition} of ${name} are still overwritten`);
    return rows;
  }

  #changesOf(partition: number): OverwrittenChanges {
    const changes = this.#changes.get(partition) ?? new OverwrittenChanges();
    this.#changes.set(partition, changes);
    return changes;
  }

  /** Returns the records at these offsets, as the topic holds them, in the order of the topic. */
  async #recordsAt(partition: number, offsets: readonly number[]): Promise<KafkaRecord[]> {
    const wanted = new Set(offsets);
    const found: KafkaRecord[] = [];
    if (offsets.length === 0) return found;
    const sorted = [...offsets].sort((a, b) => a - b);
    const range = { topic: this.#topic.name, partition, from: sorted[0]!, to: sorted.at(-1)! + 1 };
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
    const { name } = this.#topic;
    const ends = await pollUntil(Date.now() + OPEN_TRANSACTION_MS, 100, async () => {
      const now = await this.#kafka.offsets(name);
      return now.every(({ committed, high }) => committed === high) ? now : null;
    });
    if (ends) return ends;
    throw new Problem('catch-up-timeout', `a transaction in ${name} does not end`);
  }
}
