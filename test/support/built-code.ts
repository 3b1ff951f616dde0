// Lets tests import the compiled code of `dist` instead of the sources. Node then loads it without
// vitest. Loading takes a fraction of the time that vitest needs to compile 700 modules.
import { dirname, join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist/');

/**
 * True in `npm test`, which builds `dist` first. A single test file that a person runs uses the
 * sources.
 */
export const isBuilt = process.env['SLUICE_TEST_CODE'] === 'built';

export const builtBundle = join(DIST, 'workflow-bundle.js');

/**
 * The test file that replaces modules of `src` with mocks. It always imports `src`, because vitest
 * can replace only modules that it loads itself, and it does not load `dist`.
 */
const WITH_MOCKS = 'test/cli/edit.heavy.test.ts';

/** A Vite plugin. It replaces a module of `src` that a test imports with the module in `dist`. */
export const builtCode = {
  name: 'sluice-built-code',
  enforce: 'pre' as const,
  resolveId(wanted: string, importer = ''): string | null {
    const from = relative(ROOT, importer);
    if (
      !isBuilt ||
      !wanted.startsWith('.') ||
      from.startsWith('src/') ||
      importer.endsWith(WITH_MOCKS)
    )
      return null;
    const inRoot = relative(ROOT, join(dirname(importer), wanted));
    return inRoot.startsWith('src/') && inRoot.endsWith('.js')
      ? join(DIST, inRoot.slice('src/'.length))
      : null;
  },
};

/** Matches the modules of `dist`. Node loads them itself, without vitest. */
export const loadedByNode = [new RegExp(`^${DIST.replaceAll(/[.+*?^${}()|[\]\\]/g, '\\$&')}`)];
