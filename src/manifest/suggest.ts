// Suggests the known key that is most similar to a mistyped one.
import { z } from 'zod';

const known = new WeakMap<z.ZodType, readonly string[]>();

/** Returns the key of `schema` with the smallest edit distance, or undefined if none is similar. */
export function suggestion(key: string, schema: z.ZodType): string | undefined {
  const keys = known.get(schema) ?? [
    ...collectKeys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })),
  ];
  known.set(schema, keys);
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(key.length / 3)) + 1;
  for (const candidate of keys) {
    const distance = editDistance(key.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function collectKeys(node: unknown, into = new Set<string>()): Set<string> {
  if (node === null || typeof node !== 'object') return into;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties' && value && typeof value === 'object')
      for (const name of Object.keys(value)) into.add(name);
    collectKeys(value, into);
  }
  return into;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length]!;
}
