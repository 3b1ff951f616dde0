// Tests the symbolic links of libraries in the cache of Postgres binaries.
import {
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { linkLibraries } from '../../stack/fetch-postgres.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const home = temporaryFolder('sluice-links-');
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Creates a cached copy of Postgres' files that contains one library. */
function aCopy(): string {
  const copy = join(home, 'copy');
  mkdirSync(join(copy, 'lib'), { recursive: true });
  writeFileSync(join(copy, 'lib/libpq.so.5.17'), 'library');
  const links = [{ source: 'native/lib/libpq.so.5.17', target: 'native/lib/libpq.so.5' }];
  writeFileSync(join(copy, 'pg-symlinks.json'), JSON.stringify(links));
  return copy;
}

describe('a library link of the cached Postgres', () => {
  it('stays valid after the cached copy was moved', () => {
    linkLibraries(aCopy());
    renameSync(join(home, 'copy'), join(home, 'moved'));
    expect(readFileSync(join(home, 'moved/lib/libpq.so.5'), 'utf8')).toBe('library');
  });

  it('is corrected if it leads into a checkout that was deleted', () => {
    const copy = aCopy();
    symlinkSync('/deleted/checkout/lib/libpq.so.5.17', join(copy, 'lib/libpq.so.5'));
    linkLibraries(copy);
    expect(readlinkSync(join(copy, 'lib/libpq.so.5'))).toBe('libpq.so.5.17');
  });
});
