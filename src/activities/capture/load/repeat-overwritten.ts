// Writes again the changes that an initial load in chunks overwrote in a topic
// (compare/overwritten-changes.ts says how that happens). The connector is stopped meanwhile.
// Otherwise, a repeated change could overwrite a newer one.
import type { KafkaPort, PartitionEnds } from '../../../clients/kafka/kafka.js';
import { readRecords, type KafkaRecord } from '../../../clients/kafka/records.js';
import { withSource } from '../../../clients/postgres/connection.js';
import { readKeyedTable } from '../../../clients/postgres/catalog.js';
import { ChangesToRepeat, OverwrittenChanges } from '../../../compare/overwritten-changes.js';
import {
  isScanning,
  type SnapshotNotification,
} from '../../../domain/capture/snapshot-progress.js';
import { Problem } from '../../../domain/failure.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { beat, pollUntil, stopIfCancelled } from '../../runtime/poll-until.js';
import type { Planned } from '../../runtime/with-plan.js';
import type { CaptureDeps } from '../capture-adapter.js';
import { stopSurely, untilRunning } from '../connectors/connector-state.js';
import { logOmitsValues } from './copy-readers.js';
import { untilScanEnds } from './later-scan.js';
import { goneDuringLoad } from './load-failures.js';
import { LoadedTopic } from './loaded-topic.js';
import { readNotifications } from './log-load.js';

/** Kafka ends a transaction that its producer left open. By default, it does so after a minute. */
const OPEN_TRANSACTION_MS = 120_000;
/** The maximum number of changes that are in memory at the same time. */
const CHANGES_AT_ONCE = 100;

/**
 * Writes the overwritten changes again. Returns how many rows had one, including those that an
 * earlier attempt has repaired. Call it only after the connector has acknowledged a position after
 * the load (`watchLog` waits for that). By then, if a chunk's row is newer than the change before
 * it, the change that made it newer follows in the topic. So if a chunk's row is the last record of
 * its key and differs from the change before it, the chunk's row is older. Afterwards, the
 * connector is running. Safe to repeat, also after an attempt that stopped the connector and died,
 * or that wrote only some of the changes.
 */
export async function repeatOverwritten(deps: CaptureDeps, run: Planned): Promise<number> {
  const { plan } = run;
  const rest = deps.systems.connect(plan);
  const kafka = deps.systems.kafka(plan);
  const { connector } = plan.names;
  // An attempt that Temporal has replaced must not start the connector while the next one writes.
  const resume = async (): Promise<void> => {
    stopIfCancelled();
    await rest.resume(connector);
    await untilRunning(rest, connector);
  };
  const loads = await withSource(plan, deps.secret, async (client) => {
    const found: ChunkedLoad[] = [];
    for (const [at, { text }] of plan.tables.entries()) {
      const isWhole = !logOmitsValues(await readKeyedTable(client, text));
      found.push(new ChunkedLoad(kafka, plan.captures[at]!.topic, isWhole));
    }
    return found;
  });
  for (const load of loads) await load.read();
  // An earlier attempt may have died after it stopped the connector. A pause is not ended here.
  if ((await rest.status(connector))?.connector.state === 'STOPPED') await resume();
  await withSource(plan, deps.secret, (client) => untilScanEnds({ rest, kafka, client }, run));
  stopIfCancelled();
  if (!(await stopSurely(rest, connector))) throw goneDuringLoad(connector);
  let rows = 0;
  try {
    await refuseScan(kafka, plan);
    for (const load of loads) rows += await load.repeat();
  } catch (error) {
    await resume().catch(() => undefined); // the next attempt resumes it, too
    throw error;
  }
  await resume();
  return rows;
}

/**
 * Throws an error if a signal has begun another scan just before the connector was stopped. The
 * next attempt waits for the end of that scan.
 */
async function refuseScan(kafka: KafkaPort, plan: ResolvedPlan): Promise<void> {
  const notifications: SnapshotNotification[] = [];
  await readNotifications(kafka, plan, 0, notifications);
  if (isScanning(notifications))
    throw new Error(`connector ${plan.names.connector} scans the tables again`);
}

/** The topic of one table after its load in chunks. */
class ChunkedLoad {
  readonly #kafka: KafkaPort;
  readonly #topic: LoadedTopic;
  readonly #isWhole: boolean;
  readonly #changes = new Map<number, OverwrittenChanges>();

  /** `isWhole` says that no change omits a TOAST value. */
  constructor(kafka: KafkaPort, name: string, isWhole: boolean) {
    this.#kafka = kafka;
    this.#isWhole = isWhole;
    this.#topic = new LoadedTopic(kafka, name, (partition, _offset, key, value) =>
      this.#changesOf(partition).add(key, value),
    );
  }

  /** Reads what the topic has now. Later, only the rest is read while the connector is stopped. */
  async read(): Promise<void> {
    await this.#topic.readTo(await this.#kafka.offsets(this.#topic.name));
  }

  /**
   * Writes the overwritten changes again. Returns the number of rows whose changes were written
   * again, by this attempt or an earlier one.
   */
  async repeat(): Promise<number> {
    const ends = await this.#settledEnds();
    await this.#topic.readTo(ends);
    if (this.#count() === 0) return this.#repeated();
    const writer = this.#kafka.openWriter();
    for (const [partition, offsets] of await this.#changesToRepeat(ends))
      for (let at = 0; at < offsets.length; at += CHANGES_AT_ONCE) {
        const wanted = offsets.slice(at, at + CHANGES_AT_ONCE);
        for (const { key, value } of await this.#recordsAt(partition, wanted)) {
          stopIfCancelled();
          await writer.write(this.#topic.name, { key: key!, value });
        }
        stopIfCancelled();
        await writer.flush();
      }
    await this.#topic.readTo(await this.#settledEnds());
    if (this.#count() > 0)
      throw new Error(`${this.#count()} rows of ${this.#topic.name} are still overwritten`);
    return this.#repeated();
  }

  #count(): number {
    return [...this.#changes.values()].reduce((sum, { count }) => sum + count, 0);
  }

  #repeated(): number {
    return [...this.#changes.values()].reduce((sum, { repeated }) => sum + repeated, 0);
  }

  #changesOf(partition: number): OverwrittenChanges {
    const changes = this.#changes.get(partition) ?? new OverwrittenChanges(this.#isWhole);
    this.#changes.set(partition, changes);
    return changes;
  }

  /** Returns, for each partition, the offsets of the newest changes of all overwritten rows. */
  async #changesToRepeat(ends: readonly PartitionEnds[]): Promise<Map<number, readonly number[]>> {
    const found = new Map(ends.map(({ partition }) => [partition, new ChangesToRepeat()]));
    const again = new LoadedTopic(
      this.#kafka,
      this.#topic.name,
      (partition, offset, key, value) => {
        if (key !== null && this.#changesOf(partition).has(key))
          found.get(partition)!.add(offset, key, value);
      },
    );
    await again.readTo(ends);
    return new Map([...found].map(([partition, { offsets }]) => [partition, offsets]));
  }

  /** Returns the records at these offsets, as the topic holds them, in the order of the topic. */
  async #recordsAt(partition: number, offsets: readonly number[]): Promise<KafkaRecord[]> {
    const wanted = new Set(offsets);
    const found: KafkaRecord[] = [];
    const range = {
      topic: this.#topic.name,
      partition,
      from: offsets[0]!,
      to: offsets.at(-1)! + 1,
    };
    const take = (record: KafkaRecord): void => {
      if (!wanted.has(record.offset)) return;
      const { key, value } = record;
      found.push({ ...record, key: key && Buffer.from(key), value: value && Buffer.from(value) });
    };
    await readRecords(this.#kafka, range, take, () => beat());
    return found;
  }

  /** Waits until no Kafka transaction is open in the topic, and returns the topic's ends. */
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
