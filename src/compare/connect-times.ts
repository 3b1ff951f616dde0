// Lists the logical types with which Kafka Connect and Debezium mark numbers as dates and times. In
// Avro, in JSON with schema and in JSON Schema, different attributes contain the name of the type.
import { dateText, instantText, timeOfDayText, type Count } from './epoch-text.js';

/** Converts a time from a number to the text that records in JSON contain for the same time. */
export type TextOfCount = (count: Count) => string;

export const [MILLI, MICRO, NANO] = [1000, 1_000_000, 1_000_000_000];

export const clock =
  (perSecond: number): TextOfCount =>
  (count) =>
    timeOfDayText(count, perSecond);
export const instant =
  (perSecond: number): TextOfCount =>
  (count) =>
    instantText(count, perSecond);
export const local =
  (perSecond: number): TextOfCount =>
  (count) =>
    instantText(count, perSecond, '');

const TIMES: Readonly<Record<string, TextOfCount>> = {
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

/** Returns the function for the name of a logical type, or undefined for any other name. */
export const connectTime = (name: string): TextOfCount | undefined =>
  Object.hasOwn(TIMES, name) ? TIMES[name] : undefined;

export const CONNECT_DECIMAL = 'org.apache.kafka.connect.data.Decimal';
