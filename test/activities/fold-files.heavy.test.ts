// A fold holds what was read from a topic. The worker saves it in a state file. This file restores
// exactly the fold that was saved, or nothing.
import {
  appendFileSync,
  chmodSync,
  cpSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeDigest } from '../../src/activities/windows/folds/code-digest.js';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { aRef } from '../support/builders.js';
import { feed } from '../support/rows.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const shapeOf = (key: string[]): Shape => ({
  key,
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
});
const BEFORE = parseSnapshot('100:100:');
const AFTER = parseSnapshot('200:210:203');

const add = (fold: HashFold, id: number, v: string, txId: number): void => {
  const key = fold.shape.key.length === 1 ? `{"id":${id}}` : `{"v":"${v}","id":${id}}`;
  const record = Buffer.from(
    `{"before":null,"after":{"id":${id},"v":"${v}"},"source":{"txId":${txId}},"op":"u"}`,
  );
  feed(fold, key, record, BEFORE);
};

function aFold(shape: Shape): HashFold {
  const fold = new HashFold(shape, 10);
  for (let id = 0; id < 5000; id += 1) add(fold, id, `v${id}`, 50);
  fold.topicId = 'a'.repeat(32);
  fold.readUpTo({ partition: 0, next: 5003, low: 0, epoch: 4 });
  fold.readUpTo({ partition: 2, next: 17, low: 3, epoch: -1 });
  fold.proven(AFTER);
  add(fold, 7, 'changed since', 60);
  add(fold, 8, 'not visible yet', 150);
  return fold;
}

describe('a state file', () => {
  it.each([[['id']], [['v', 'id']]])(
    'restores rows, read positions, proven snapshot, visible and invisible changes for key %j',
    async (key) => {
      const files = new FoldFiles(temporaryFolder('sluice-files-'));
      const saved = aFold(shapeOf(key));
      await files.save('run', 'this fold', saved);
      const restored = new HashFold(shapeOf(key), 10);
      expect(await files.restore('run', 'this fold', restored)).toBe(true);
      expect([restored.table.size, restored.table.digest()]).toEqual([
        saved.table.size,
        saved.table.digest(),
      ]);
      expect([restored.topicId, restored.read]).toEqual([
        'a'.repeat(32),
        [
          { partition: 0, next: 5003, low: 0, epoch: 4 },
          { partition: 2, next: 17, low: 3, epoch: -1 },
        ],
      ]);
      expect([restored.provenAt, [...restored.changed]]).toEqual([AFTER, [...saved.changed]]);
      for (const fold of [saved, restored]) fold.applyOverlay(AFTER);
      expect(restored.table.digest()).toBe(saved.table.digest());
    },
  );

  it('is not used by a worker with new code, which may refuse records that the former code accepted', async () => {
    const dir = temporaryFolder('sluice-files-');
    const former = new FoldFiles(dir, () => 'the former code');
    await former.save('run', 'this fold', aFold(shapeOf(['id'])));
    const restored = new HashFold(shapeOf(['id']), 10);
    expect(await new FoldFiles(dir).restore('run', 'this fold', restored)).toBe(false);
    expect(restored.table.size).toBe(0);
    expect(await former.restore('run', 'this fold', restored)).toBe(true);
  });

  it('depends on a digest of the code, which changes if a file that decides how to read records changes', () => {
    const source = temporaryFolder('sluice-code-');
    cpSync(join(import.meta.dirname, '../../src'), source, { recursive: true });
    const digest = codeDigest(source);
    expect(codeDigest(source)).toBe(digest);
    appendFileSync(join(source, 'report/charts.ts'), '//');
    expect(codeDigest(source)).toBe(digest);
    for (const file of ['compare/enc/row.ts', 'domain/values/json-bytes.ts']) {
      const before = codeDigest(source);
      appendFileSync(join(source, file), '//');
      expect(codeDigest(source)).not.toBe(before);
    }
  });

  it('is not used if it is damaged, cut off, missing or from a different fold; the fold stays empty', async () => {
    const dir = temporaryFolder('sluice-files-');
    const files = new FoldFiles(dir);
    await files.save('run', 'this fold', aFold(shapeOf(['id'])));
    const path = join(dir, readdirSync(dir)[0]!);
    const whole = readFileSync(path);
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(whole.length - 100) ^ 1, whole.length - 100);
    for (const bytes of [
      damaged,
      whole.subarray(0, whole.length - 12),
      whole.subarray(0, 20),
      Buffer.alloc(0),
    ]) {
      writeFileSync(path, bytes);
      const fold = new HashFold(shapeOf(['id']), 10);
      expect(await files.restore('run', 'this fold', fold)).toBe(false);
      expect([fold.table.size, fold.read, fold.provenAt]).toEqual([0, [], null]);
    }
    writeFileSync(path, whole);
    const fold = new HashFold(shapeOf(['id']), 10);
    expect(await files.restore('run', 'another fold', fold)).toBe(false);
    expect(await new FoldFiles(undefined).restore('run', 'this fold', fold)).toBe(false);
    await files.forget(['another run']);
    expect(readdirSync(dir)).toHaveLength(1);
    await files.forget(['run']);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is removed after its run has ended, with the parts that a comparison wrote to disk', async () => {
    const dir = temporaryFolder('sluice-files-');
    const folds = new FoldCache(new FoldFiles(dir), 2 ** 30);
    const [ended, live] = [
      { ...aRef(), runKey: 'ended' },
      { ...aRef(), runKey: 'live' },
    ];
    for (const ref of [ended, live]) {
      await folds.save(ref, 't', aFold(shapeOf(['id'])));
      await folds.spillDir(ref, 't');
      folds.table(ref, 't', shapeOf(['id']));
    }
    await folds.forget([ended]);
    expect(readdirSync(dir).filter((name) => name.startsWith('spill-'))).toEqual(['spill-live']);
    expect(readdirSync(dir)).toHaveLength(2);
    expect([folds.ofTable(ended, 't'), folds.ofTable(live, 't') === null]).toEqual([null, false]);
  });

  it('is neither read nor written in a folder that others can write, because they could forge it', async () => {
    const dir = temporaryFolder('sluice-files-');
    const files = new FoldFiles(dir);
    await files.save('run', 'this fold', aFold(shapeOf(['id'])));
    chmodSync(dir, 0o777);
    expect(await files.restore('run', 'this fold', new HashFold(shapeOf(['id']), 10))).toBe(false);
    await files.save('run', 'another fold', aFold(shapeOf(['id'])));
    expect(readdirSync(dir)).toHaveLength(1);
  });

  it('does not fail the window if it cannot be written', async () => {
    const file = join(temporaryFolder('sluice-files-'), 'a file');
    writeFileSync(file, '');
    await expect(
      new FoldFiles(file).save('run', 'x', aFold(shapeOf(['id']))),
    ).resolves.toBeUndefined();
  });
});
