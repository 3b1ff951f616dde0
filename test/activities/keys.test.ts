// Tests the rules with which doctor judges a table's primary key from the catalog.
import { describe, expect, it } from 'vitest';
import type { Column, TableCatalog } from '../../src/clients/postgres/catalog.js';
import { checkKey } from '../../src/activities/checks/keys.js';
import { openChecks } from '../../src/domain/evidence/check.js';
import { aPlan } from '../support/builders.js';

const column = (
  name: string,
  type: string,
  declared = type,
  generated = false,
  publishable = !generated,
): Column => ({
  name,
  type,
  notNull: true,
  generated,
  publishable,
  declared,
  looseCollation: null,
});

const table = (key: readonly Column[]): TableCatalog =>
  ({
    name: { schema: 'public', table: 't' },
    columns: [...key, column('note', 'text')],
    key: key.map((c) => c.name),
  }) as unknown as TableCatalog;

const findings = (key: readonly Column[], partitions: number, ignore: string[] = []): string[] =>
  openChecks(
    checkKey(
      aPlan({
        spec: {
          kafka: { brokers: ['127.0.0.1:9092'], partitions },
          validation: { compare: { ignore } },
        },
      }),
      'public.t',
      table(key),
    ),
  ).map((check) => `${check.name} ${check.detail}`);

describe('a primary key', () => {
  it.each([
    ['numeric', 'numeric'],
    ['float8', 'double precision'],
    ['bpchar', 'bpchar'],
    ['numeric[]', 'numeric[]'],
    ['jsonb', 'jsonb'],
    ['interval', 'interval'],
    ['citext', 'citext'],
  ])(
    'is refused if equal values of type %s have several texts and the topic is partitioned',
    (type, declared) => {
      expect(findings([column('level', type, declared)], 3)).toEqual([
        expect.stringMatching(/^table\.key-form equal values of level \(/),
      ]);
      expect(findings([column('level', type, declared)], 1)).toEqual([]);
    },
  );

  it.each([
    ['numeric', 'numeric(10,2)'],
    ['bpchar', 'character(8)'],
    ['int8', 'bigint'],
    ['text', 'text'],
    ['uuid', 'uuid'],
    ['timestamptz', 'timestamp with time zone'],
  ])(
    'is accepted if each value of its type has only one text: %s, declared as %s',
    (type, declared) => {
      expect(findings([column('k', type, declared)], 3)).toEqual([]);
    },
  );

  it('is refused if its collation treats different texts as equal and the topic is partitioned', () => {
    const key = [{ ...column('name', 'text'), looseCollation: 'ignores_case' }];
    expect(findings(key, 3)).toEqual([
      expect.stringMatching(
        /^table\.key-form equal values of name \(text, with the nondeterministic collation ignores_case\)/,
      ),
    ]);
    expect(findings(key, 1)).toEqual([]);
  });

  it('is refused if its columns cannot be compared, even if the spec says to ignore them', () => {
    const weak = [
      column('span', 'int4multirange'),
      column('flags', 'bit', 'bit(8)'),
      column('twice', 'int4', 'integer', true),
      column('id', 'int4', 'integer'),
    ];
    const said =
      'table.key-types key columns that cannot be compared: span (int4multirange: the connector omits it), flags (bit(8)), twice (generated: the log omits it)';
    expect(findings(weak, 1, ['span', 'flags', 'twice'])).toEqual([said]);
  });

  it('may be generated if the publication contains it and each record of the initial load has it', () => {
    const key = [column('twice', 'int4', 'integer', true, true)];
    expect(findings(key, 1)).toEqual([]);
    const [open] = openChecks(
      checkKey(
        aPlan({
          spec: {
            connector: {
              type: 'debezium-postgres',
              url: 'http://connect',
              snapshot: 'incremental',
            },
          },
        }),
        'public.t',
        table(key),
      ),
    );
    expect(open?.detail).toContain('twice (generated: the log omits it)');
  });
});
