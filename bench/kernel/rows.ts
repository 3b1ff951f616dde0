// Makes the rows of the validation benchmark in memory, so that the benchmark `kernel` needs no
// server. It makes each row three times: as a Debezium record in JSON, as a Debezium record in
// Avro, and as a row of a binary COPY. The records are in batches, as a broker sends them.
import { createHash } from 'node:crypto';
import { BatchBuilder } from '../../src/clients/kafka/batch-builder.js';
import { binaryRow, jsonImage, type Value } from '../../test/support/rows.js';
import { batchOf, type Message } from '../../test/support/topic-in-memory.js';
import { keyOf, valueOf } from '../secure/avro-rows.js';
import { COLUMNS, envelopeOf } from '../validation/data.js';

const NAMES = COLUMNS.map(([name]) => name);
const TYPES = COLUMNS.map(([, type]) => type);
const BATCH_RECORDS = 1000;
const FIRST_INSTANT = Date.UTC(2026, 0, 1);

/** The values of row `g`. They resemble those that `COLUMNS` of validation/data.ts makes in SQL. */
function rowOf(g: number): Value[] {
  const md5 = createHash('md5').update(String(g)).digest('hex');
  const micros = Math.round(g * 1_000_007);
  const instant = new Date(FIRST_INSTANT + Math.floor(micros / 1000)).toISOString();
  const rest = g % 1000;
  return [
    g,
    (g * 7919) % 100_000,
    rest === 10 ? 'a|b' : ['placed', 'shipped', 'paid', 'cancelled'][g % 4]!,
    rest === 10 ? 'c' : `city ${rest}`,
    rest === 7 ? '' : rest === 8 ? 'NULL' : g % 3 === 0 ? null : `note "${md5}`,
    `c${g % 97}`.padEnd(6),
    ((g % 100_000) / 100).toFixed(16).replace(/0{1,}$/, '0'),
    rest === 5 ? 0 : rest === 6 ? Number.NaN : g / 7 + 0.5,
    g % 2 === 0,
    `${instant.slice(0, 20)}${String(micros % 1_000_000).padStart(6, '0')}Z`,
    md5.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    `{"n": ${g % 50}, "tags": ["x", "y${g % 9}"]}`,
  ];
}

export const AVRO_SCHEMAS = { key: 1, value: 2 } as const;

export interface Made {
  /** Record batches as a broker sends them, uncompressed. */
  readonly batches: readonly Buffer[];
  /** The same records in Avro. `AVRO_SCHEMAS` has the ids of the schemas of keys and values. */
  readonly avro: readonly Buffer[];
  /** COPY rows without their field count. The first field of each is the ctid. */
  readonly rows: readonly Buffer[];
}

export function makeRows(count: number): Made {
  const batches: Buffer[] = [];
  const avro: Buffer[] = [];
  const rows: Buffer[] = [];
  let messages: Message[] = [];
  let builder = new BatchBuilder(1024);
  for (let g = 1; g <= count; g += 1) {
    const row = rowOf(g);
    const value = envelopeOf(jsonImage(NAMES, TYPES, row));
    builder.add(`{"id":${g}}`, value);
    messages.push({ key: keyOf(g, AVRO_SCHEMAS.key), value: valueOf(value, AVRO_SCHEMAS.value) });
    rows.push(binaryRow(TYPES, row, g));
    if (g % BATCH_RECORDS !== 0 && g !== count) continue;
    const batch = Buffer.from(builder.finish({ producerId: -1n, epoch: -1 }, 0, 0));
    batch.writeBigInt64BE(BigInt(batches.length * BATCH_RECORDS), 0);
    avro.push(batchOf(messages, batches.length * BATCH_RECORDS));
    batches.push(batch);
    messages = [];
    builder = new BatchBuilder(1024);
  }
  return { batches, avro, rows };
}
