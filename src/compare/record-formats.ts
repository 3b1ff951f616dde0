// Lists the formats of a connector's records. A new format needs a folder beside this file and a
// line in DECODERS.
import type { RecordFormat } from '../domain/migration/topic-format.js';
import { AvroRecords } from './avro/avro-records.js';
import type { RecordDecoder } from './record-decoder.js';

const DECODERS: Readonly<Record<RecordFormat, (() => RecordDecoder) | null>> = {
  json: null,
  avro: () => new AvroRecords(),
};

/** Creates the decoder of a format. Null for JSON, which the folds read as it is. */
export const decoderOf = (format: RecordFormat): RecordDecoder | null =>
  DECODERS[format]?.() ?? null;
