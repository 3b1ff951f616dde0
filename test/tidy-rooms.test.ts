// Checks the rooms of the large floors: how many there are, and that their imports form no circle.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const MOST_ROOMS = 12;

/** A room is a folder of the floor, or a file that lies directly in it. */
function arrowsOf(floor: string): Map<string, Set<string>> {
  const arrows = new Map<string, Set<string>>();
  const roomOf = (file: string): string | null =>
    file.startsWith(`${floor}/`) ? file.slice(floor.length + 1).split('/')[0]! : null;
  for (const entry of readdirSync(floor, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const room = roomOf(file)!;
    const uses = arrows.get(room) ?? new Set<string>();
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
      const other = roomOf(normalize(join(dirname(file), path!)).replace(/\.js$/, '.ts'));
      if (other !== null && other !== room) uses.add(other);
    }
    arrows.set(room, uses);
  }
  return arrows;
}

/** Removes rooms that use no other room until none is left. The rest is in a circle, or above one. */
function circleOf(floor: string): string[] {
  const left = arrowsOf(floor);
  for (;;) {
    const base = [...left].find(([, uses]) => [...uses].every((other) => !left.has(other)));
    if (!base) return [...left.keys()];
    left.delete(base[0]);
  }
}

describe('the rooms of a floor', () => {
  it.each(['activities', 'domain', 'workflows', 'clients', 'assess', 'report', 'cli'])(
    'import each other in no circle: %s',
    (floor) => expect(circleOf(`src/${floor}`)).toEqual([]),
  );
  it.each(['activities', 'domain', 'clients'])(`are at most ${MOST_ROOMS}: %s`, (floor) =>
    expect(arrowsOf(`src/${floor}`).size).toBeLessThanOrEqual(MOST_ROOMS),
  );
});
