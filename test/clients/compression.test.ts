// Tests that damaged compressed batches cause an error instead of a crash or an endless loop.
import { describe, expect, it } from 'vitest';
import { decompress } from '../../src/clients/kafka/compression.js';

const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;

describe('a compressed batch', () => {
  for (const [what, codec, bytes] of [
    ['an unknown codec', 7, Buffer.from('anything')],
    ['bytes that are not gzip', 1, Buffer.from('not gzip')],
    ['snappy that claims 4 GiB', SNAPPY, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00])],
    [
      'snappy with a literal whose length the library reads as a negative number',
      SNAPPY,
      Buffer.from([5, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0x41]),
    ],
    ['snappy that ends in a length', SNAPPY, Buffer.from([5, 0xf4, 0x01])],
    ['snappy that copies from 2 GiB ahead', SNAPPY, Buffer.from([5, 0x0f, 0, 0, 0, 0x80])],
    ['LZ4 with a wrong magic number', LZ4, Buffer.alloc(32)],
    ['LZ4 cut off', LZ4, Buffer.from('04224d186040', 'hex')],
    [
      'LZ4 whose match points before its beginning',
      LZ4,
      Buffer.from('04224d1860408205000000104109000000000000', 'hex'),
    ],
    ['bytes that are not zstd', ZSTD, Buffer.from('not zstd at all')],
  ] as const) {
    it(`causes an error that names its offset, not a crash, if it is unreadable: ${what}`, () => {
      expect(() => decompress(bytes, codec, 42)).toThrow(/at offset 42/);
      expect(() => decompress(bytes, codec, 42)).toThrow(
        expect.objectContaining({ code: 'unsupported' }) as Error,
      );
    });
  }

  it('is decompressed if it is a bare snappy block, as librdkafka writes it', () => {
    expect(decompress(Buffer.from([5, 16, ...Buffer.from('hello')]), SNAPPY, 0).toString()).toBe(
      'hello',
    );
  });
});
