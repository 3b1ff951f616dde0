// Tests the descriptions in the JSON Schema, which editors and the reference page show.
import { expect, it } from 'vitest';
import { specSchema } from '../../src/cli/schema.js';

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
}

/** Lists every key of every object with its path in the schema and its description. */
function keysOf(node: unknown, path = ''): [string, string | undefined][] {
  if (typeof node !== 'object' || node === null) return [];
  const own = Object.entries((node as Node).properties ?? {}).map(
    ([key, value]): [string, string | undefined] => [`${path}/${key}`, value.description],
  );
  const below = Object.entries(node).flatMap(([key, value]) => keysOf(value, `${path}/${key}`));
  return [...own, ...below];
}

const keys = keysOf(specSchema());

it('every key of the JSON Schema has a description', () => {
  expect(keys.length).toBeGreaterThan(100);
  expect(keys.filter(([, text]) => !text).map(([path]) => path)).toEqual([]);
});

it('every description begins with a capital letter and ends in a period', () =>
  expect(keys.filter(([, text]) => text && !/^[A-Z].*\.$/.test(text))).toEqual([]));
