// Checks that the files that `npm run docs` generates are up to date. Also checks that the list of
// environment variables has each SLUICE_ and TEMPORAL_ variable that the sources name.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { GENERATED } from '../scripts/reference/generated.js';
import { VARIABLES } from '../src/wiring/environment.js';

it.each(Object.keys(GENERATED))('%s is what `npm run docs` writes', (file) =>
  expect(readFileSync(file, 'utf8')).toBe(GENERATED[file]!()),
);

it('every SLUICE_ or TEMPORAL_ variable that the sources name is in the list of variables', () => {
  const listed = Object.keys(VARIABLES).map((name) => name.replace('*', ''));
  const named = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => readFileSync(join('src', file), 'utf8').match(VARIABLE) ?? []);
  const unlisted = named.filter(
    (name) =>
      !listed.some((known) => name === known || (known.endsWith('_') && name.startsWith(known))),
  );
  expect([...new Set(unlisted)]).toEqual([]);
});

const VARIABLE = /\b(?:SLUICE_[A-Z_]+|TEMPORAL_(?!REMEDY)[A-Z]{2,}[A-Z_]*)\b/g;
