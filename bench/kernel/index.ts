// `npm run bench -- kernel [--rows 200000]` measures only the encoders that windows use, in one
// thread and without a server. It reports the processor time (ns) that both encoders need for a
// record or a row: the kernel in WebAssembly, and the reference in TypeScript. It also reports the
// time for work that every encoder must do, and the time of JSON.parse for comparison. Each line
// has the median and the minimum of several rounds.
import {
  TransactionFilter,
  visibleBatches,
  walkBatch,
} from '../../src/clients/kafka/record-batch.js';
import type { RecordVisitor, VisibleBatch } from '../../src/clients/kafka/record-batch.js';
import { ChangeEncoder, Changes } from '../../src/compare/enc/change.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { RecordBatch } from '../../src/compare/kernel/record-batch.js';
import { RegistryEncoding } from '../../src/compare/kernel/record-encoding.js';
import { RowBatch } from '../../src/compare/kernel/row-batch.js';
import { TID_FIELD_BYTES } from '../../src/compare/enc/row-place.js';
import { SHAPE } from '../validation/data.js';
import { ENVELOPE_SCHEMA, KEY_SCHEMA } from '../secure/avro-rows.js';
import type { RecordDecoder } from '../../src/compare/record-decoder.js';
import { decoderOf } from '../../src/compare/record-formats.js';
import { AVRO_SCHEMAS, makeRows, type Made } from './rows.js';

const PLACE = { partition: 0, partitions: 1 };
const ALL = Number.MAX_SAFE_INTEGER;

export function kernelBench(count: number, rounds: number): void {
  const made = makeRows(count);
  const size = (parts: readonly Buffer[]): string =>
    (parts.reduce((sum, part) => sum + part.length, 0) / count).toFixed(0);
  console.log(
    `${size(made.batches)} bytes a record, ${size(made.avro)} in Avro, ${size(made.rows)} bytes a row. Nanoseconds for one record or row:`,
  );
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1)
    for (const [name, run] of Object.entries(contestants(made))) {
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      const ns = ((user + system) * 1000) / count;
      times.set(name, [...(times.get(name) ?? []), ns]);
    }
  for (const [name, list] of times) {
    const sorted = list.sort((a, b) => a - b);
    console.log(
      `  ${name.padEnd(44)} ${sorted[Math.floor(rounds / 2)]!.toFixed(0).padStart(6)} (min ${sorted[0]!.toFixed(0)})`,
    );
  }
}

function contestants({ batches, avro, rows }: Made): Readonly<Record<string, () => void>> {
  const records = new RecordBatch(SHAPE);
  const add = records.add.bind(records);
  const reference = new ChangeEncoder(SHAPE);
  const encoder = new RowEncoder(SHAPE);
  const target = Buffer.alloc(Math.max(...batches.map((batch) => batch.length)));
  const decoder = new TextDecoder();
  const { decoder: inAvro, batch: inKernel } = avroReaders();
  const addAvro = inKernel.add.bind(inKernel);
  return {
    'topic in Avro: checksums verified, records visited': () => walk(avro, () => undefined),
    'topic in Avro: the same, rewritten as JSON': () => {
      for (const bytes of avro) {
        inAvro.begin(PLACE);
        walk([bytes], inAvro.add.bind(inAvro));
      }
    },
    'topic in Avro: checksums, walk and encoding by the kernel': () => {
      for (const bytes of avro) {
        inKernel.begin(PLACE, bytes);
        for (const batch of visible(bytes))
          walkBatch(inKernel.response, batch, 0, ALL, addAvro, inKernel.checksum);
        inKernel.finish();
      }
    },
    'topic: copied once': () => batches.forEach((batch) => batch.copy(target)),
    'topic: checksums verified, records visited': () => walk(batches, () => undefined),
    'topic: checksums, walk and encoding by the kernel': () => {
      for (const bytes of batches) {
        records.begin(PLACE, bytes);
        for (const batch of visible(bytes))
          walkBatch(records.response, batch, 0, ALL, add, records.checksum);
        records.finish();
      }
    },
    'topic: the same by the reference': () => {
      const changes = new Changes();
      walk(batches, (...record) => reference.encode(PLACE, ...record, changes));
    },
    'topic: walked, and JSON.parse': () =>
      walk(batches, (_offset, bytes, _keyStart, _keyEnd, start, end) =>
        JSON.parse(decoder.decode(bytes.subarray(start, end))),
      ),
    'table: the kernel': () => {
      let sum = 0;
      const batch = new RowBatch(encoder, (_key, high) => void (sum ^= high));
      for (const row of rows) batch.add(row, 0);
      batch.flush();
    },
    'table: the reference': () => {
      for (const row of rows) encoder.fromBinary(row, TID_FIELD_BYTES);
    },
  };
}

/**
 * Returns a decoder that rewrites Avro as JSON, and a kernel that encodes Avro directly. Both know
 * the schemas of the records.
 */
function avroReaders(): { decoder: RecordDecoder; batch: RecordBatch } {
  const encoding = new RegistryEncoding(SHAPE, decoderOf('avro', 'changes')!);
  const decoder = decoderOf('avro', 'changes')!;
  for (const learner of [encoding, decoder]) {
    learner.learn(AVRO_SCHEMAS.key, JSON.stringify(KEY_SCHEMA));
    learner.learn(AVRO_SCHEMAS.value, JSON.stringify(ENVELOPE_SCHEMA));
  }
  return { decoder, batch: new RecordBatch(SHAPE, encoding) };
}

function walk(batches: readonly Buffer[], visit: RecordVisitor): void {
  for (const bytes of batches)
    for (const batch of visible(bytes)) walkBatch(bytes, batch, 0, ALL, visit);
}

const visible = (bytes: Buffer): readonly VisibleBatch[] =>
  visibleBatches(bytes, 0, ALL, new TransactionFilter()).batches;
