// Reads the pipeline's output topic and keeps the latest row of each key (a fold).
import { joinRow, type Shape } from './row-comparison.js';
import { spellingOf } from '../domain/values/partition.js';
import { Fold, rowOf } from './fold.js';
import { OutputReader } from './output-reader.js';
import { REFUSED, whyRefused } from './refused.js';

export class OutputFold extends Fold {
  readonly #reader: OutputReader;
  /** The partition of each deleted key. Empty if the topic has one partition. */
  readonly #deleted = new Map<string, number>();

  /** Creates an empty fold. `image` has the same meaning as in `OutputReader`. */
  constructor(shape: Shape, image: string | null = null) {
    super();
    this.#reader = new OutputReader(shape, image);
  }

  /**
   * Takes one record. Returns its key, or null if the record is refused. A record whose key is
   * already known is refused in two cases. In the first case, the earlier record is in a different
   * partition, and Kafka keeps no order between partitions. In the second case, the earlier
   * record has the same key in different bytes, so compaction keeps both records. `spelling` is
   * the hash of the key's bytes in the topic. By default, these are the bytes of `key`.
   */
  add(
    key: Buffer | null,
    value: Buffer | null,
    offset = -1,
    spelling = spellingOf(key),
  ): string | null {
    const { partition, partitions } = this.place;
    const refuse = (why: number): null => {
      const text = { key: key?.toString('utf8') ?? null, value: value?.toString('utf8') ?? null };
      this.refuse({ partition, offset, why, ...text });
      return null;
    };
    if (key === null) return refuse(REFUSED.noKey);
    try {
      const record = this.#reader.read(key, value);
      const name = joinRow(record.key);
      const row = this.rows.get(name);
      const known = row?.partition ?? this.#deleted.get(name) ?? partition;
      if (known !== partition) return refuse(REFUSED.scattered);
      if (row && row.spelling !== spelling) return refuse(REFUSED.respelled);
      if (record.row !== null) {
        this.rows.set(name, { ...rowOf(record.row), partition, spelling });
        this.#deleted.delete(name);
        return name;
      }
      this.rows.delete(name);
      if (partitions !== 1) this.#deleted.set(name, partition);
      return name;
    } catch (error) {
      return refuse(whyRefused(error));
    }
  }
}
