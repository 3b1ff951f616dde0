// Checks the parts (subfolders and files) of the large source folders. The imports between parts
// must form no cycle, and the largest folders must not have too many parts.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const MOST_PARTS = 12;

/**
 * Returns which parts each part imports. A part is a subfolder of `folder`, or a file directly in
 * it.
 */
function importsOf(folder: string): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  const partOf = (file: string): string | null =>
    file.startsWith(`${folder}/`) ? file.slice(folder.length + 1).split('/')[0]! : null;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const part = partOf(file)!;
    const uses = imports.get(part) ?? new Set<string>();
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
      const other = partOf(normalize(join(dirname(file), path!)).replace(/\.js$/, '.ts'));
      if (other !== null && other !== part) uses.add(other);
    }
    imports.set(part, uses);
  }
  return imports;
}

/** Returns the parts that are in an import cycle, or that import such a part, even indirectly. */
function cycleOf(folder: string): string[] {
  const left = importsOf(folder);
  for (;;) {
    const base = [...left].find(([, uses]) => [...uses].every((other) => !left.has(other)));
    if (!base) return [...left.keys()];
    left.delete(base[0]);
  }
}

describe('the parts of a source folder', () => {
  it.each(['activities', 'domain', 'workflows', 'clients', 'assess', 'report', 'cli'])(
    'form no import cycle: %s',
    (folder) => expect(cycleOf(`src/${folder}`)).toEqual([]),
  );
  it.each(['activities', 'domain', 'clients'])(`are at most ${MOST_PARTS}: %s`, (folder) =>
    expect(importsOf(`src/${folder}`).size).toBeLessThanOrEqual(MOST_PARTS),
  );
});
