// Lists the formats of records. A new format needs a name in domain/migration/topic-format.ts and
// manifest/spec-parts.ts, a folder beside this file, and a line in DECODERS.
import type { RecordFormat } from '../domain/migration/topic-format.js';
import { AvroRecords } from './avro/avro-records.js';
import { JsonSchemaRecords } from './json-schema/json-schema-records.js';
import { ProtobufRecords } from './protobuf/protobuf-records.js';
import type { Content, RecordDecoder } from './record-decoder.js';

const DECODERS: Readonly<Record<RecordFormat, ((content: Content) => RecordDecoder) | null>> = {
  json: null,
  avro: (content) => new AvroRecords(content),
  'json-schema': () => new JsonSchemaRecords(),
  protobuf: () => new ProtobufRecords(),
};

/** Creates the decoder of a format. Null for JSON, which the folds read as it is. */
export const decoderOf = (format: RecordFormat, content: Content): RecordDecoder | null =>
  DECODERS[format]?.(content) ?? null;
