// A full pass reads the table while the topic is still being read into a fold. It never compares
// the table with an unfinished fold.
import { describe, expect, it } from 'vitest';
import { passByHash, type PassInput } from '../../src/activities/windows/tables/table-by-hash.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { binaryRow, envelope, feed, jsonImage } from '../support/rows.js';

const TYPES = ['int8', 'text'];
const SHAPE = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};
const SNAPSHOT = parseSnapshot('1000:1000:');
const BLOCKS = 3 * 4096;
const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);

/** The methods of the COPY query object that the client calls when data arrives. */
interface Copy {
  handleCopyData(message: { chunk: Uint8Array }): void;
  handleReadyForQuery(): void;
}

/** A source whose table has one row in each range of blocks. */
function aSource(said: string[]) {
  const query = (what: string | Copy): unknown => {
    if (typeof what === 'string') return Promise.resolve({ rows: [{ n: String(BLOCKS) }] });
    const n = said.filter((line) => line === 'range read').length;
    said.push('range read');
    setImmediate(() => {
      what.handleCopyData({ chunk: HEADER });
      const count = Buffer.from([0, 3]);
      what.handleCopyData({ chunk: Buffer.concat([count, binaryRow(TYPES, [n, `v${n}`], n)]) });
      what.handleReadyForQuery();
    });
    return what;
  };
  return { query };
}

function aFold(): HashFold {
  const fold = new HashFold(SHAPE, 8);
  for (let n = 0; n < 3; n += 1)
    feed(
      fold,
      `{"id":${n}}`,
      envelope('r', jsonImage(['id', 'v'], TYPES, [n, `v${n}`]), 1),
      SNAPSHOT,
    );
  return fold;
}

const input = (said: string[]): PassInput =>
  ({
    shape: SHAPE,
    snapshot: SNAPSHOT,
    reader: aSource(said),
    from: 'public.t',
    rowsPerSecond: 0,
    kafka: {},
    topic: 't',
    heartbeat: () => undefined,
  }) as unknown as PassInput;

/** Resolves after this number of ranges of the table were read. */
async function whenRead(said: readonly string[], times: number): Promise<void> {
  while (said.filter((line) => line === 'range read').length < times)
    await new Promise((resolve) => setImmediate(resolve));
}

describe('a full pass', () => {
  it('reads the whole table while the topic is still read, and compares every row afterwards', async () => {
    const said: string[] = [];
    const folding = whenRead(said, 3).then(() => {
      said.push('folded');
      return aFold();
    });
    const pass = await passByHash(input(said), folding);
    expect(said).toEqual(['range read', 'range read', 'range read', 'folded']);
    expect(pass).toMatchObject({ rowsRead: 3, counts: { matched: 3, missing: 0, extraneous: 0 } });
  });

  it('fails with the error of the fold, and then reads no further range', async () => {
    const said: string[] = [];
    const folding = whenRead(said, 1).then(() => Promise.reject(new Error('the topic is gone')));
    await expect(passByHash(input(said), folding)).rejects.toThrow('the topic is gone');
    expect(said).toEqual(['range read']);
  });

  it('ends only after the fold has ended, even if its own reading fails', async () => {
    const said: string[] = [];
    const broken = {
      ...input(said),
      reader: { query: () => Promise.reject(new Error('no table')) },
    };
    const folding = new Promise<HashFold>((resolve) => {
      setImmediate(() => {
        said.push('folded');
        resolve(aFold());
      });
    });
    const failed = passByHash(broken as unknown as PassInput, folding);
    await expect(failed).rejects.toThrow('no table');
    expect(said).toEqual(['folded']);
  });
});
