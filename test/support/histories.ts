// Reads and writes the recorded histories. The table in test/histories/README.md names them.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';

const FOLDER = 'test/histories';
const ENDING = '.json.gz';

export interface RecordedHistory {
  readonly events: { [key: string]: unknown }[];
}

/** Maps the name of each test in the table to the name of the history that the test records. */
export function listedHistories(): ReadonlyMap<string, string> {
  const rows = readFileSync(`${FOLDER}/README.md`, 'utf8').matchAll(/^\| ([a-z-]+) \| (.+) \|$/gm);
  return new Map(
    [...rows].flatMap(([, name, test]) => (name === 'history' ? [] : [[test!, name!]])),
  );
}

/** Returns the names of the histories that are recorded. */
export const recordedHistories = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length));

const fileOf = (name: string): string => `${FOLDER}/${name}${ENDING}`;

export const readHistory = (name: string): RecordedHistory =>
  JSON.parse(gunzipSync(readFileSync(fileOf(name))).toString()) as RecordedHistory;

export const writeHistory = (name: string, history: RecordedHistory): void =>
  writeFileSync(fileOf(name), gzipSync(JSON.stringify(history), { level: 9 }));
