// Each row of the page of failure modes names the tests that show Sluice's reaction. If such a test
// were renamed or removed, the row would promise something that no test proves.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PAGE = readFileSync('docs/reference/failure-modes.md', 'utf8');
const ROWS = PAGE.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ID |'))
  .map((line) => line.slice(2, -2).split(' | '));

interface Reference {
  readonly file: string;
  /** Names of tests, in which `…` stands for omitted parts. */
  readonly names: readonly string[];
}

/** Reads `FILE, "NAME", "NAME"; FILE, "NAME"`, which is the form of a row's last column. */
function referencesIn(cell: string): Reference[] {
  const found: { file: string; names: string[] }[] = [];
  for (const [, file, name] of cell.matchAll(/(test\/[\w./-]+\.ts)|"([^"]+)"/g)) {
    if (file !== undefined) found.push({ file, names: [] });
    else found.at(-1)?.names.push(name!);
  }
  return found;
}

/** Returns true if the source contains the parts of a shortened name, in this order. */
function isNamedIn(source: string, name: string): boolean {
  let at = 0;
  for (const part of name.split('…').map((one) => one.trim())) {
    at = source.indexOf(part, at);
    if (at < 0) return false;
    at += part.length;
  }
  return true;
}

const sourceOf = (file: string): string => readFileSync(file, 'utf8').replaceAll("\\'", "'");

const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${letter}${at + 1}`);
const CASES =
  '01 02 03 05 07 09 12 15 16 17 18 19 20 21 23 24 26 27 28 29 32 33 34 35 37 39 41 42 43';
/** The IDs that the page must have. Its introduction says what the letters and words mean. */
const FINDINGS = [
  ...numbered('A', 13),
  ...numbered('B', 10),
  ...numbered('D', 9),
  ...numbered('N', 15),
  ...'16a 16b 16c'.split(' ').map((number) => `workflows ${number}`),
  ...numbered('workflows ', 27),
  ...numbered('workflows C', 13),
  ...CASES.split(' ').map((number) => `case ${number}`),
];

/**
 * Repeats the word `workflows` if a row has several findings: `workflows C3, C4` becomes
 * `workflows C3, workflows C4`.
 */
const withSource = (id: string): string =>
  id.startsWith('workflows ') ? id.replace(/, (?=C?\d)/g, ', workflows ') : id;

describe('the page of failure modes', () => {
  it('has a row for every ID of FINDINGS', () => {
    const ids = ROWS.map(([id]) => id!);
    const hasRow = (finding: string): boolean =>
      ids.some((id) => new RegExp(`\\b${finding}(?!\\d)`).test(withSource(id)));
    const missing = FINDINGS.filter((finding) => !hasRow(finding));
    expect(missing).toEqual([]);
  });

  it('says in every row how the problem is detected, how Sluice reacts, and which test shows it', () => {
    const unfinished = ROWS.filter(
      (cells) =>
        cells.length !== 5 ||
        cells.some((cell) => cell.trim() === '') ||
        /no test|not yet/.test(cells[4]!),
    );
    expect(unfinished.map(([id]) => id)).toEqual([]);
  });

  it('names only tests that exist', () => {
    const wrong = ROWS.flatMap((cells) => referencesIn(cells.at(-1)!)).flatMap(
      ({ file, names }) => {
        if (!existsSync(file)) return [file];
        const source = sourceOf(file);
        return names.filter((name) => !isNamedIn(source, name)).map((name) => `${file}: ${name}`);
      },
    );
    expect(wrong).toEqual([]);
  });
});
