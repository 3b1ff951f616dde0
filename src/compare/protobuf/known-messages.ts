// Reads the messages that stand for one value of a column: times, dates, decimals and wrappers.
import { decimalText } from '../decimal-text.js';
import { momentText } from '../epoch-text.js';
import { Undecodable } from '../undecodable.js';
import { readFields, type FieldRule } from './fields.js';
import { SCALARS, type ValueRule } from './scalars.js';
import { WIRE } from './wire-input.js';

/** Reads a message with these fields, whose numbers are 1, 2 and so on. */
function message(types: readonly string[], json: (values: readonly string[]) => string): ValueRule {
  const rules = types.map((type, at): FieldRule => ({
    id: at + 1,
    value: SCALARS[type]!,
    isRepeated: false,
    isMessage: false,
    hasPresence: false,
    oneOf: null,
  }));
  return {
    wire: WIRE.sized,
    absent: null,
    read: (input) => json(readFields(rules, input.sized())),
  };
}

const wrapper = (type: string): ValueRule => message([type], ([value]) => value!);
const two = (value: string | undefined): string => value!.padStart(2, '0');
const [NANO, NANO_DIGITS] = [1_000_000_000, 9];

/**
 * Checks the nanoseconds of a time. Without the check, a full second or more would be read as a
 * fraction of a second.
 */
function nanosOf(nanos: string | undefined): string {
  if (!/^\d{1,9}$/.test(nanos!))
    throw new Undecodable(`a time has ${nanos} nanoseconds, which is not from 0 to 999999999`);
  return nanos!;
}

export const KNOWN_MESSAGES: Readonly<Record<string, ValueRule>> = {
  'google.protobuf.Timestamp': message(['int64', 'int32'], ([seconds, nanos]) =>
    JSON.stringify(momentText(Number(seconds), Number(nanosOf(nanos)), NANO)),
  ),
  'google.protobuf.DoubleValue': wrapper('double'),
  'google.protobuf.FloatValue': wrapper('float'),
  'google.protobuf.Int64Value': wrapper('int64'),
  'google.protobuf.UInt64Value': wrapper('uint64'),
  'google.protobuf.Int32Value': wrapper('int32'),
  'google.protobuf.UInt32Value': wrapper('uint32'),
  'google.protobuf.BoolValue': wrapper('bool'),
  'google.protobuf.StringValue': wrapper('string'),
  'google.protobuf.BytesValue': wrapper('bytes'),
  'google.type.Decimal': wrapper('string'),
  'google.type.Date': message(['int32', 'int32', 'int32'], ([year, month, day]) =>
    JSON.stringify(`${year!.padStart(4, '0')}-${two(month)}-${two(day)}`),
  ),
  'google.type.TimeOfDay': message(
    ['int32', 'int32', 'int32', 'int32'],
    ([hours, minutes, seconds, nanos]) =>
      JSON.stringify(
        `${two(hours)}:${two(minutes)}:${two(seconds)}.${nanosOf(nanos).padStart(NANO_DIGITS, '0')}`,
      ),
  ),
  'confluent.type.Decimal': message(['bytes', 'uint32', 'int32'], ([value, , scale]) =>
    JSON.stringify(decimalText(Buffer.from(JSON.parse(value!) as string, 'base64'), Number(scale))),
  ),
};
