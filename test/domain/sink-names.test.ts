// Tests which tables and columns Debezium's JDBC sink can write to, judged by their names. The file
// also tests in which form the sink gets the name of its table.
import { describe, expect, it } from 'vitest';
import { sinkTableName } from '../../src/domain/migration/sink-names.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';

describe('the name of a table for the sink', () => {
  it('has the wildcards of its schema escaped, because the sink looks for the schema with LIKE', () => {
    expect(sinkTableName({ schema: 'rep_eu', table: 'day_sums' })).toBe('"rep\\_eu".day_sums');
    expect(sinkTableName({ schema: '100%', table: 'a' })).toBe('"100\\%".a');
  });
  it('is quoted if it is not a plain name, because the sink splits names at dots and white space', () => {
    expect(sinkTableName({ schema: 'public', table: 'Sums' })).toBe('public.Sums');
    expect(sinkTableName({ schema: 'a.b', table: "it's ü" })).toBe('"a.b"."it\'s ü"');
  });
});

describe('a spec with a sink', () => {
  const problems = (table: string, key: string[] = ['day']): string[] => {
    const { pipeline, batch } = BATCH_PARTS;
    const spec = {
      ...BATCH_PARTS,
      batch: { ...batch, result: { ...batch.result, key } },
      pipeline: { ...pipeline, output: { ...pipeline.output, key } },
      sink: { type: 'jdbc-sink', table },
      cutover: {},
    };
    const parsed = parseSpecObject(aSpecInput({ name: 'bank', spec }));
    return parsed.ok ? [] : parsed.problems.map((problem) => problem.message);
  };
  it.each(['public."a.b"', '"We Sink-é"."Stream Tbl"', `public."it's"`, 'a_b."50%"'])(
    'is accepted if the sink can write to its table: %s',
    (table) => expect(problems(table)).toEqual([]),
  );
  it.each(['public."a""b"', 'public." a"', '"[a]".b', 'public."${topic}"', `public."a''b"`])(
    'is refused if the sink cannot write to its table: %s',
    (table) =>
      expect(problems(table)).toContainEqual(
        expect.stringContaining('the sink cannot write to the table'),
      ),
  );
  it.each(['we"ird', 'day ', '[day]', '`day`'])(
    'is refused if the sink cannot write to the key column: %s',
    (column) =>
      expect(problems('public.stream', [column])).toContainEqual(
        expect.stringContaining('the sink cannot write to columns whose name contains'),
      ),
  );
});
