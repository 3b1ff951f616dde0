// Tests the reading of files that a person named: only UTF-8 is read, and a byte order mark is not
// part of the text.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileText, readText } from '../../src/cli/support/file-text.js';
import { readSpec } from '../../src/cli/support/spec-file.js';
import { CliError } from '../../src/cli/support/output.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const latin1 = Buffer.from('SELECT day,\n  sum(amount) AS gr\u00f6\u00dfe FROM t\n', 'latin1');

const written = (bytes: Buffer | string, name = 'query.sql'): string => {
  const file = join(temporaryFolder('sluice-text-'), name);
  writeFileSync(file, bytes);
  return file;
};

const SPEC = (query: string) => `apiVersion: sluice.dev/v1alpha1
kind: Migration
metadata: { name: daily }
spec:
  source: { postgres: { host: db, database: shop, user: u }, tables: [public.orders] }
  batch: { result: { table: public.daily, key: [day] }, query: ${query} }
  connector: { type: debezium-postgres, url: "http://connect:8083" }
  kafka: { brokers: ["kafka:9092"] }
  pipeline: { type: external, groups: [daily], output: { topic: daily, key: [day] } }
`;

describe('a file that a person named', () => {
  it('is refused with its line if it is not UTF-8', () => {
    expect(() => readText(written(latin1))).toThrow('line 2 is not UTF-8; save the file as UTF-8');
    expect(() => fileText(written(latin1), (reason) => new CliError(2, 'usage', reason))).toThrow(
      'line 2 is not UTF-8',
    );
  });

  it('is read without its byte order mark, which Postgres would not parse', () =>
    expect(readText(written('\ufeffSELECT 1'))).toBe('SELECT 1'));

  it('keeps the replacement character if the file contains it', () =>
    expect(readText(written('SELECT \ufffd'))).toBe('SELECT \ufffd'));
});

describe('a spec', () => {
  it('that is not UTF-8 is refused', () =>
    expect(() =>
      readSpec(
        written(Buffer.from(SPEC('{ sql: "SELECT 1 AS gr\u00f6\u00dfe" }'), 'latin1'), 'm.yaml'),
      ),
    ).toThrow('line 6 is not UTF-8'));

  it('whose query file is not UTF-8 is refused at the key of the file', () => {
    const query = written(latin1);
    expect(() => readSpec(written(SPEC(`{ file: ${JSON.stringify(query)} }`), 'm.yaml'))).toThrow(
      /m\.yaml:6:\d+ spec\.batch\.query\.file: cannot read .*: line 2 is not UTF-8/,
    );
  });
});
