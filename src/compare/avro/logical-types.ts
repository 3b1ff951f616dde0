// Rewrites values of logical types as the texts that plain JSON has for them. Avro, Kafka Connect and
// Debezium each have their own logical types. Sluice's own connector uses none of them for times.
import { decimalText } from '../decimal-text.js';
import { timeOfDayText, dateText, instantText, type Count } from '../epoch-text.js';
import type { Rewrite, SchemaObject } from './schema-types.js';

const [MILLI, MICRO, NANO] = [1000, 1_000_000, 1_000_000_000];
const clock = (perSecond: number) => (count: Count) => timeOfDayText(count, perSecond);
const instant = (perSecond: number) => (count: Count) => instantText(count, perSecond);
const local = (perSecond: number) => (count: Count) => instantText(count, perSecond, '');

type Texts = Readonly<Record<string, (count: Count) => string>>;

/**
 * Avro's logical types, each with the type to which it belongs. Avro ignores a logical type on any
 * other type.
 */
const OF_AVRO: Readonly<Record<string, Texts>> = {
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

/** The logical types of Kafka Connect and of Debezium, by `connect.name`. */
const OF_CONNECT: Texts = {
  'org.apache.kafka.connect.data.Date': dateText,
  'org.apache.kafka.connect.data.Time': clock(MILLI),
  'org.apache.kafka.connect.data.Timestamp': instant(MILLI),
  'io.debezium.time.Date': dateText,
  'io.debezium.time.Time': clock(MILLI),
  'io.debezium.time.MicroTime': clock(MICRO),
  'io.debezium.time.NanoTime': clock(NANO),
  'io.debezium.time.Timestamp': local(MILLI),
  'io.debezium.time.MicroTimestamp': local(MICRO),
  'io.debezium.time.NanoTimestamp': local(NANO),
};

/**
 * Returns the function that rewrites values of a logical type. Undefined if the schema has no such
 * type.
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
  const textOf = own(OF_AVRO[type]!, logicalType) ?? own(OF_CONNECT, connectName);
  return textOf && ((input, out) => (out ? out.text(textOf(input.long())) : input.skipLong()));
}

const own = (texts: Texts, name: string): Texts[string] | undefined =>
  Object.hasOwn(texts, name) ? texts[name] : undefined;
