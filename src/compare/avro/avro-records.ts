// Rewrites Avro records in the wire format of a schema registry as the JSON that Kafka Connect
// would write. Folds and comparisons then read Avro records and JSON records in the same way.
import type { Content } from '../record-decoder.js';
import { RegistryRecords, type RewriteValue } from '../registry-records.js';
import { Undecodable } from '../undecodable.js';
import { AvroInput } from './avro-input.js';
import { compileSchema } from './avro-schema.js';

export class AvroRecords extends RegistryRecords {
  constructor(content: Content = 'changes') {
    super({
      record: 'an Avro record',
      schemaType: 'AVRO',
      compile: (schema) => compiled(schema, content),
    });
  }
}

function compiled(schema: string, content: Content): RewriteValue {
  const rewrite = compileSchema(schema, content);
  const input = new AvroInput();
  return (bytes, from, to, out) => {
    input.open(bytes, from, to);
    rewrite(input, out);
    if (input.at !== to)
      throw new Undecodable(`${to - input.at} bytes remain after its Avro value`);
  };
}
