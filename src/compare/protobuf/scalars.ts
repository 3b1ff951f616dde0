// Reads the scalar types of Protobuf as JSON texts.
import { doubleJson } from '../json-number.js';
import { utf8Text } from '../strict-utf8.js';
import { Undecodable } from '../undecodable.js';
import { WIRE, type WireInput } from './wire-input.js';

/** The encoding of the values of a type. */
export interface ValueRule {
  readonly wire: number;
  /** The JSON of a field that a record does not contain. Null stands for NULL. */
  readonly absent: string | null;
  /** Reads one value, and returns its JSON. */
  readonly read: (input: WireInput) => string;
}

type Whole = (value: bigint) => bigint;
const signed =
  (bits: number): Whole =>
  (value) =>
    BigInt.asIntN(bits, value);
const unsigned =
  (bits: number): Whole =>
  (value) =>
    BigInt.asUintN(bits, value);
const zigzag =
  (bits: number): Whole =>
  (value) => {
    const cut = BigInt.asUintN(bits, value);
    return (cut >> 1n) ^ -(cut & 1n);
  };

const varint = (whole: Whole): ValueRule => ({
  wire: WIRE.varint,
  absent: '0',
  read: (input) => String(whole(BigInt(input.varint()))),
});

const fixed = (size: 4 | 8, print: (bytes: Buffer, at: number) => string): ValueRule => ({
  wire: size === 4 ? WIRE.four : WIRE.eight,
  absent: '0',
  read: (input) => print(input.bytes, input.take(size)),
});

const sized = (print: (bytes: Buffer) => string): ValueRule => ({
  wire: WIRE.sized,
  absent: '""',
  read(input) {
    const { bytes, at, end } = input.sized();
    return print(bytes.subarray(at, end));
  },
});

const text = (bytes: Buffer): string => JSON.stringify(utf8Text(bytes));

export const SCALARS: Readonly<Record<string, ValueRule>> = {
  int32: varint(signed(32)),
  int64: varint(signed(64)),
  uint32: varint(unsigned(32)),
  uint64: varint(unsigned(64)),
  sint32: varint(zigzag(32)),
  sint64: varint(zigzag(64)),
  bool: {
    wire: WIRE.varint,
    absent: 'false',
    read: (input) => String(BigInt(input.varint()) !== 0n),
  },
  fixed32: fixed(4, (bytes, at) => String(bytes.readUInt32LE(at))),
  sfixed32: fixed(4, (bytes, at) => String(bytes.readInt32LE(at))),
  float: fixed(4, (bytes, at) => doubleJson(bytes.readFloatLE(at))),
  fixed64: fixed(8, (bytes, at) => String(bytes.readBigUInt64LE(at))),
  sfixed64: fixed(8, (bytes, at) => String(bytes.readBigInt64LE(at))),
  double: fixed(8, (bytes, at) => doubleJson(bytes.readDoubleLE(at))),
  string: sized(text),
  bytes: sized((bytes) => JSON.stringify(bytes.toString('base64'))),
};

/** Returns the rule of an enum. A number without a label in the schema cannot be compared. */
export const enumRule = (labels: Readonly<Record<number, string>>): ValueRule => {
  const print = (number: number): string => {
    if (!Object.hasOwn(labels, number))
      throw new Undecodable(`the enum value ${number}, which its schema does not have`);
    return JSON.stringify(labels[number]);
  };
  return {
    wire: WIRE.varint,
    absent: Object.hasOwn(labels, 0) ? print(0) : null,
    read: (input) => print(Number(BigInt.asIntN(32, BigInt(input.varint())))),
  };
};
