// Tests how a spec is read: its defaults, its plan hash, and the problems of a wrong spec.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem, parseSpecObject, parseSpecText } from '../../src/manifest/parse.js';
import { planHash } from '../../src/manifest/build-plan.js';
import { BATCH_PARTS, aSpec, aSpecInput } from '../support/builders.js';
import { problemsOf, yaml } from '../support/spec-problems.js';

describe('a spec', () => {
  it('gets the default of each key that it omits', () => {
    const { spec } = aSpec();
    expect(spec.catchUp).toEqual({ barriers: 3, within: '30s', timeout: '6h' });
    expect(spec.cutover).toMatchObject({
      maxHold: '60s',
      fence: 'result',
      route: { type: 'none' },
    });
    expect(spec.source.walBudget).toEqual({ bytes: '10GiB', onExhaustion: 'drop-slot' });
  });
  it('of the example is valid, and contains the text of its query file after parsing', () => {
    const file = 'examples/daily-revenue/migration.yaml';
    const parsed = parseSpecText(readFileSync(file, 'utf8'), file, (path) =>
      readFileSync(resolve(dirname(file), path), 'utf8'),
    );
    expect(parsed.ok && parsed.spec.spec.batch?.query.sql).toContain('AT TIME ZONE');
  });
  it('keeps every reference to a secret in a file, and reads none of these files', () => {
    const file = '/run/secrets/sluice.properties:token';
    const token = { url: 'https://id/token', clientId: 'sluice', clientSecretFrom: { file } };
    const { kafka } = aSpec().spec;
    const spec = {
      kafka: { ...kafka, tls: {}, sasl: { mechanism: 'oauthbearer', token } },
      connector: {
        ...aSpec().spec.connector,
        url: 'https://connect:8083',
        auth: { tokenFrom: { file } },
      },
    };
    const parsed = parseSpecText(yaml(aSpecInput({ spec })), 'm.yaml', (path) => {
      throw new Error(`${path} was read`);
    });
    expect(parsed.ok ? [] : parsed.problems).toEqual([]);
    expect(parsed).toMatchObject({
      ok: true,
      spec: { spec: { kafka: { sasl: { token: { clientSecretFrom: { file } } } } } },
    });
  });
  it('has the same plan hash with different labels, and a different plan hash with different tables', () => {
    const spec = aSpec();
    expect(planHash({ ...spec, metadata: { ...spec.metadata, labels: { team: 'x' } } })).toBe(
      planHash(spec),
    );
    expect(planHash(aSpec({ tables: ['public.other'] }))).not.toBe(planHash(spec));
  });
});

describe('a wrong spec', () => {
  it('is refused for an unknown key, and the error names its line and the likely key', () => {
    const text = yaml().replace('database: bank', 'databse: bank');
    expect(problemsOf(text).join('\n')).toMatch(
      /m\.yaml:\d+:\d+ spec\.source\.postgres\.databse: unknown key "databse"; did you mean "database"\?/,
    );
  });
  it('is refused if batch.query has both `sql` and `file`, and the error says so', () => {
    const both = {
      ...BATCH_PARTS,
      batch: { ...BATCH_PARTS.batch, query: { sql: 'SELECT 1', file: 'q.sql' } },
    };
    expect(problemsOf(yaml(aSpecInput({ spec: both }))).join('\n')).toMatch(
      /spec\.batch\.query\.file: "file" replaces the other keys here/,
    );
  });
  it.each(['resume', 'retire'])('is refused if batch.%s has a parameter', (action) => {
    const batch = { ...BATCH_PARTS.batch, [action]: { sql: 'SELECT run_again($1)' } };
    expect(problemsOf(yaml(aSpecInput({ spec: { ...BATCH_PARTS, batch } }))).join('\n')).toContain(
      `spec.batch.${action}.sql: only batch.pause gets the parameter $1, the end of the pause; remove $1`,
    );
  });
  it('is refused if it has a second document, and the error says which line to remove', () => {
    const problems = problemsOf(`${yaml()}\n---\n${yaml()}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^m\.yaml:\d+:1 a second YAML document begins here; a spec is one/);
  });
  it('is refused, and the error lists all of its problems, not only the first one', () => {
    const input = aSpecInput({
      spec: { catchUp: { barriers: 0, within: 'soon' }, validation: { every: '10ms' } },
    });
    expect(problemsOf(yaml(input)).length).toBeGreaterThanOrEqual(3);
  });
  it.each([
    [
      'a literal password',
      (t: string) => t.replace('user: sluice', 'user: sluice\n      password: secret'),
      'a literal password is not allowed',
    ],
    [
      'a duplicate key',
      (t: string) => t.replace('kind: Migration', 'kind: Migration\nkind: Migration'),
      'this key occurs a second time in its object; remove one of the two',
    ],
    [
      'an alias',
      (t: string) => t.replace('name: bank', 'name: &a bank\n  labels: { team: *a }'),
      'anchors and aliases are not allowed',
    ],
    [
      'a name with capitals',
      (t: string) => t.replace('name: bank', 'name: Bank'),
      'expected 1 to 40 of a-z, 0-9 and -',
    ],
    [
      'a table without schema',
      (t: string) => t.replace('public.accounts', 'accounts'),
      'is not schema.name',
    ],
    ['text that is not YAML', () => 'a: [', 'm.yaml:1:'],
    [
      'a spec of 300 KB',
      () => `x: "${'y'.repeat(300 * 1024)}"`,
      'bytes, and at most 262144 are allowed',
    ],
  ])('is refused, and the error says why: %s', (_case, spoil, message) =>
    expect(problemsOf(spoil(yaml())).join('\n')).toContain(message),
  );
  it('is refused for a missing query file, and the error also lists all other problems', () => {
    const input = aSpecInput({
      spec: {
        ...BATCH_PARTS,
        batch: { ...BATCH_PARTS.batch, query: { file: 'gone.sql' } },
        soak: { for: 2 },
        surplus: 1,
      },
    });
    const parsed = parseSpecText(yaml(input), 'm.yaml', () => {
      throw new Error('ENOENT');
    });
    const problems = parsed.ok ? [] : parsed.problems.map(formatProblem);
    expect(problems).toEqual([
      expect.stringMatching(/spec\.batch\.query\.file: cannot read gone\.sql: ENOENT/),
      expect.stringMatching(/spec\.soak\.for: expected a duration like 30s, 5m, 2h or 7d/),
      expect.stringMatching(/unknown key "surplus"/),
    ]);
  });
  it('is refused if connector.config has a key outside of the allowlist, or a literal password', () => {
    const input = aSpecInput({
      spec: {
        connector: {
          type: 'debezium-postgres',
          url: 'http://c:1',
          config: { transforms: 'x', 'database.password': 'secret', 'max.batch.size': '1' },
        },
      },
    });
    const problems = problemsOf(yaml(input)).join('\n');
    expect(problems).toContain('"transforms" is not a key that a spec may set');
    expect(problems).toContain('a literal password is not allowed; use a placeholder');
    expect(problems).not.toContain('max.batch.size": ');
  });
  it.each(['0', '60001', 'never', '-1'])('is refused if heartbeat.interval.ms is %s', (ms) => {
    const config = { 'heartbeat.interval.ms': ms };
    const connector = { type: 'debezium-postgres', url: 'http://c:1', config };
    expect(problemsOf(yaml(aSpecInput({ spec: { connector } }))).join('\n')).toContain(
      `"${ms}" is not a number from 1 to 60000`,
    );
  });
  it('is refused for two tables whose topics would have the same name', () => {
    expect(
      problemsOf(yaml(aSpecInput({ tables: ['public."a b"', 'public.a_b'] }))).join(),
    ).toContain('would share topic bank.public.a_b');
  });
  it('is refused as the input of a workflow if its query is still the name of a file', () => {
    const parsed = parseSpecObject(
      aSpecInput({
        spec: { ...BATCH_PARTS, batch: { ...BATCH_PARTS.batch, query: { file: 'q.sql' } } },
      }),
    );
    expect(parsed.ok).toBe(false);
  });
  it.each([[null], [[]], ['text'], [42], [{ apiVersion: 'v1' }]])(
    'is refused as an invalid workflow input: %j',
    (input) => expect(parseSpecObject(input).ok).toBe(false),
  );
});
