// Tests malicious or damaged records and texts. Each must be refused or read in a limited time.
// The file also tests how decimals are read, for example those that JSON.parse would round.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchBuilder } from '../../src/clients/kafka/batch-builder.js';
import { decompress } from '../../src/clients/kafka/compression.js';
import {
  TransactionFilter,
  offsetBehind,
  visibleBatches,
  walkBatch,
} from '../../src/clients/kafka/record-batch.js';
import { canonFromJson, canonFromText } from '../../src/compare/column-types.js';
import { canonicalDecimal } from '../../src/compare/canonical-decimal.js';
import { parseJsonDigits, parseJsonLossless, significantDigits } from '../../src/compare/json.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { withinTolerance } from '../../src/compare/tolerance.js';
import { Problem } from '../../src/domain/failure.js';

const LONG = 1_000_000;

function aBatch(records: number): Buffer {
  const builder = new BatchBuilder(1024);
  for (let n = 0; n < records; n += 1)
    builder.add(`{"id":${n}}`, n % 7 === 3 ? null : `{"v":"${'x'.repeat(n % 90)}"}`);
  return Buffer.from(builder.finish({ producerId: -1n, epoch: -1 }, 0, 0));
}

/** Visits all records as a window does. Returns how many there are. */
function visited(records: Buffer): number {
  let count = 0;
  offsetBehind(records, 0);
  for (const batch of visibleBatches(records, 0, 1e9, new TransactionFilter()).batches)
    walkBatch(records, batch, 0, 1e9, () => void (count += 1));
  return count;
}

describe('a damaged batch', () => {
  it('is refused or returns no record, unless the changed byte is in its base offset or leader epoch', () => {
    const whole = aBatch(40);
    expect(visited(whole)).toBe(40);
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, bits) => {
          const damaged = Buffer.from(whole);
          damaged[at] = damaged[at]! ^ bits;
          let count = 0;
          try {
            count = visited(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(Problem);
          }
          // Records may be read only if the damage is in the batch's base offset or leader epoch,
          // which the checksum does not cover. A larger length makes the batch incomplete.
          if (count !== 0) expect(at < 8 || (at >= 12 && at < 16)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is read or refused, and never loops, if its checksum is valid over random bytes (property)', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: -5, max: 2 ** 31 - 1 }),
        (body, count) => {
          const builder = new BatchBuilder(1024);
          const batch = Buffer.concat([
            Buffer.from(builder.finish({ producerId: -1n, epoch: -1 }, 0, 0)),
            body,
          ]);
          batch.writeInt32BE(batch.length - 12, 8);
          batch.writeInt32BE(count, 57);
          batch.writeUInt32BE(crcOf(batch), 17);
          try {
            visited(batch);
          } catch (error) {
            expect(error).toBeInstanceOf(Problem);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([-12, 0, 48])('is refused if its header says %d bytes', (length) => {
    const batch = aBatch(3);
    batch.writeInt32BE(length, 8);
    expect(() => visited(batch)).toThrow('is damaged');
  });
});

/** Computes CRC-32C bit by bit, because the tested code must not test itself. */
function crcOf(batch: Buffer): number {
  let crc = -1;
  for (let at = 21; at < batch.length; at += 1) {
    crc ^= batch[at]!;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ -1) >>> 0;
}

describe('a compressed body', () => {
  it('is refused if it has 20 kilobytes of zstd that would become hundreds of megabytes', () => {
    const header = Buffer.from('28b52ffd0058', 'hex'); // zstd's own window of 2 MiB, no content size
    const block = Buffer.from([
      0x02 | ((131_072 & 31) << 3),
      (131_072 >> 5) & 0xff,
      131_072 >> 13,
      0x41,
    ]); // 128 KiB that repeat one byte
    expect(() =>
      decompress(Buffer.concat([header, ...Array.from({ length: 5000 }, () => block)]), 4, 7),
    ).toThrow(/at offset 7/);
  });

  it('is decompressed or refused by every codec if its bytes are random (property)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        (codec, bytes, isXerial) => {
          const head = isXerial
            ? Buffer.from('82534e4150505900000000010000000100000000', 'hex')
            : Buffer.alloc(0);
          try {
            decompress(Buffer.concat([head, bytes]), codec, 1);
          } catch (error) {
            expect(error).toBeInstanceOf(Problem);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('a text of a million characters', () => {
  const zeros = '0'.repeat(LONG);
  it.each<[string, string]>([
    ['numeric', `${zeros}x`],
    ['numeric', `1.${zeros}x`],
    ['numeric', `1.${'01'.repeat(LONG / 2)}`],
    ['numeric', `1e${'9'.repeat(LONG)}`],
    ['bpchar', `${' '.repeat(LONG)}x`],
    ['timestamp', `2026-01-01 10:00:00.${zeros}x`],
    ['time', `10:00:00.${zeros}x`],
    ['interval', `P${'9'.repeat(LONG)}Y`],
    ['date', `${'9'.repeat(LONG)}-01-01`],
    ['uuid', 'a'.repeat(LONG)],
    ['text[]', `{${'a,'.repeat(LONG / 2)}`],
    ['text[]', `{"${'a'.repeat(LONG)}`],
  ])('is read or refused within 20 seconds as type %s', { timeout: 20_000 }, (type, text) => {
    for (const judge of [() => canonFromText(type, text), () => canonFromJson(type, text)]) {
      try {
        judge();
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
  });

  it('with only digits is not within the tolerance of a small number', () =>
    expect(withinTolerance('9'.repeat(LONG), '1', '0.1')).toBe(false));
});

describe('decimals', () => {
  it('have one canonical text, regardless of leading and trailing zeros (property)', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.nat({ max: 999_999 }),
        fc.nat({ max: 5 }),
        fc.nat({ max: 5 }),
        (whole, part, before, behind) => {
          const fraction = String(part).padStart(6, '0');
          const plain = canonicalDecimal(`${whole}.${fraction}`);
          expect(
            canonicalDecimal(`${'0'.repeat(before)}${whole}.${fraction}${'0'.repeat(behind)}`),
          ).toBe(plain);
          expect(plain).toBe(`${whole}${part === 0 ? '' : `.${fraction.replace(/0+$/, '')}`}`);
        },
      ),
    );
  });

  it.each([
    ['1.000000000000000002', 19],
    ['1.500000000000000000', 2],
    ['-0.00012', 2],
    ['1234567890.1234567e5', 17],
    ['1000', 4],
    ['0', 0],
  ])('such as %s have %d significant digits', (number, digits) =>
    expect(significantDigits(number)).toBe(digits),
  );

  it('are kept as they were written, at any depth, if they have more than 15 significant digits', () => {
    const text =
      '{"a":1.000000000000000002,"b":[{"c":3.141592653589123}],"d":9007199254740993,"e":"1.000000000000000002","f":1.5}';
    expect(JSON.stringify(parseJsonDigits(text))).toBe(
      '{"a":"1.000000000000000002","b":[{"c":"3.141592653589123"}],"d":"9007199254740993","e":"1.000000000000000002","f":1.5}',
    );
    expect(parseJsonLossless('{"c":3.141592653589123}')).toEqual({ c: 3.141592653589123 });
  });
});

describe('an output that writes decimals as numbers', () => {
  const shape = {
    key: ['id'],
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'n', type: 'numeric' },
      { name: 'f', type: 'float8' },
    ],
  };
  const rowOf = (n: string, f = '1'): string | null => {
    const fold = new OutputFold(shape);
    fold.add(Buffer.from('{"id":1}'), Buffer.from(`{"id":1,"n":${n},"f":${f}}`));
    expect(fold.unreadable).toBe(0);
    return [...fold.rows.values()][0]!.row;
  };
  it('has an unknown row if JSON.parse would round one of its decimals', () => {
    expect(rowOf('1.000000000000000002')).toBeNull();
    expect(rowOf('1')).toBe('["1","1","1"]');
    expect(rowOf('1.500000000000000000')).toBe('["1","1.5","1"]');
    expect(rowOf('2', '3.141592653589123')).toBe('["1","2","3.141592653589123"]');
  });
});
