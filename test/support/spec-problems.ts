// Lists the problems of a spec in the words of the parser that reads specs.
import { stringify } from 'yaml';
import { formatProblem, parseSpecText } from '../../src/manifest/parse.js';
import { aSpecInput } from './builders.js';

/** Returns the problems of a spec in YAML, one line each. */
export function problemsOf(text: string): string[] {
  const parsed = parseSpecText(text, 'm.yaml', () => 'SELECT 1');
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

export const yaml = (input = aSpecInput()): string => stringify(input);
