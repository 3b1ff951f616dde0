// Rewrites values of Kafka Connect's and Debezium's logical types as the text that a connector
// writes with Sluice's configuration. A connector that Sluice did not configure may use these
// types.
import { decimalText } from './decimal-text.js';
import type { Rewrite, SchemaObject } from './schema-types.js';

/**
 * Returns the function that rewrites values of a logical type. Undefined if the schema has no such
 * type.
 */
export function logicalOf(schema: SchemaObject): Rewrite | undefined {
  if (schema.type === 'bytes' && schema.logicalType === 'decimal') {
    const { scale = 0 } = schema;
    return (input, out) => {
      const from = input.sized();
      out?.text(decimalText(input.bytes.subarray(from, input.at), scale));
    };
  }
  if (schema['connect.name'] === 'io.debezium.data.VariableScaleDecimal')
    return (input, out) => {
      const scale = input.count();
      const from = input.sized();
      out?.text(decimalText(input.bytes.subarray(from, input.at), scale));
    };
  return undefined;
}
