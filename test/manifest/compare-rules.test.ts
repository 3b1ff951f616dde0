// Tests that a spec must not ignore a column of a key, or give it a tolerance.
import { expect, it } from 'vitest';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';
import { problemsOf, yaml } from '../support/spec-problems.js';

const problems = (compare: object): string =>
  problemsOf(yaml(aSpecInput({ spec: { ...BATCH_PARTS, validation: { compare } } }))).join();

it.each([
  [{ ignore: ['total', 'result.day'] }, 'spec.validation.compare.ignore.1: result.day'],
  [{ tolerances: { 'result.day': { abs: '1' } } }, 'spec.validation.compare.tolerances.result.day'],
])('a column of a key that the spec knows is refused: %j', (compare, place) => {
  expect(problems(compare)).toContain(place);
  expect(problems(compare)).toContain('is always compared exactly; remove');
});
it('a name without a subject is accepted, because a table may have it outside of its key', () =>
  expect(problems({ ignore: ['day'] })).toBe(''));
