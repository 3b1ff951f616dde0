// Tests that `npm run stack -- reset` removes only what the stack created. The stack's data may be
// outside the checkout, in a folder whose name other users can predict. Another user could put a
// link in place of this folder.
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { outsideDir, reachableDir, stackHome, type StackHome } from '../../stack/paths.js';
import { reset } from '../../stack/stack.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const root = temporaryFolder('sluice-reset-');
let number = 0;
/** Returns a stack that never ran, in a folder that other users cannot enter. */
function aHome(): StackHome {
  const dir = join(root, String((number += 1)));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return { ...stackHome(), dir, logs: join(dir, 'logs'), pids: join(dir, 'pids') };
}
const silent = (): void => undefined;
const victim = join(root, 'victim');
afterEach(() => rmSync(victim, { recursive: true, force: true }));

describe('reset', () => {
  it('removes the data directory, even if it is outside the checkout', async () => {
    const home = aHome();
    const data = reachableDir(home, 'pg');
    writeFileSync(join(data, 'PG_VERSION'), '17');
    await reset(home, silent);
    expect([existsSync(data), existsSync(home.dir)]).toEqual([false, false]);
  });

  it('does not follow a link that it did not create', async () => {
    const home = aHome();
    mkdirSync(victim);
    symlinkSync(victim, join(home.dir, 'pg'));
    await expect(reset(home, silent)).rejects.toThrow('remove the link yourself');
    expect(existsSync(victim)).toBe(true);
  });

  it('does not follow a link that another user put in place of the data', async () => {
    const home = aHome();
    mkdirSync(victim);
    symlinkSync(victim, outsideDir(home, 'pg'));
    symlinkSync(outsideDir(home, 'pg'), join(home.dir, 'pg'));
    try {
      await expect(reset(home, silent)).rejects.toThrow('not a directory of this stack');
      if (process.getuid?.() === 0)
        expect(() => reachableDir(home, 'pg')).toThrow('was not created by the stack');
      expect(existsSync(victim)).toBe(true);
    } finally {
      rmSync(outsideDir(home, 'pg'));
    }
  });
});
