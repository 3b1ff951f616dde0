// Rewrites values of logical types as the texts that a record in JSON has for them. Avro, Kafka
// Connect and Debezium each have their own logical types. A Debezium connector that Sluice
// configures writes dates and times as texts already.
import { decimalText } from '../decimal-text.js';
import { clock, connectTime, instant, local, MICRO, MILLI, NANO } from '../connect-times.js';
import type { TextOfCount } from '../connect-times.js';
import { dateText } from '../epoch-text.js';
import type { Rewrite, SchemaObject } from './schema-types.js';

/**
 * Avro's logical types for dates and times, by the type to which they belong. Avro ignores a
 * logical type on any other type.
 */
const OF_AVRO: Readonly<Record<string, Readonly<Record<string, TextOfCount>>>> = {
  int: { date: dateText, 'time-millis': clock(MILLI) },
  long: {
    'time-micros': clock(MICRO),
    'timestamp-millis': instant(MILLI),
    'timestamp-micros': instant(MICRO),
    'timestamp-nanos': instant(NANO),
    'local-timestamp-millis': local(MILLI),
    'local-timestamp-micros': local(MICRO),
    'local-timestamp-nanos': local(NANO),
  },
};

/**
 * Returns the function that rewrites values of a logical type. Undefined if the schema has no
 * logical type, or one that is not known here.
 */
export function logicalOf(schema: SchemaObject): Rewrite | undefined {
  const { type, logicalType = '', 'connect.name': connectName = '', scale = 0 } = schema;
  if (type === 'bytes' && logicalType === 'decimal')
    return (input, out) => {
      const from = input.sized();
      out?.text(decimalText(input.bytes.subarray(from, input.at), scale));
    };
  if (connectName === 'io.debezium.data.VariableScaleDecimal')
    return (input, out) => {
      const scale = input.count();
      const from = input.sized();
      out?.text(decimalText(input.bytes.subarray(from, input.at), scale));
    };
  if (type !== 'int' && type !== 'long') return undefined;
  const ofAvro = OF_AVRO[type]!;
  const textOf = Object.hasOwn(ofAvro, logicalType)
    ? ofAvro[logicalType]
    : connectTime(connectName);
  return textOf && ((input, out) => (out ? out.text(textOf(input.long())) : input.skipLong()));
}
