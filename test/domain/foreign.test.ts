// Text from outside is shown and stored without characters that control a terminal. Errors are
// stored without values of rows.
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/activities/runtime/application-failure.js';
import {
  printable,
  printableLines,
  quoteForeign,
  withoutValues,
} from '../../src/domain/values/foreign-text.js';
import { columns, escapeHtml, escapeMarkdown, escapeText } from '../../src/report/escape.js';

const HOSTILE =
  '\u001b[2J\u001b]52;c;aGk=\u0007\r\u009b31m\u007f\u202eabc\u2066\u2028\u2029\ufeff\u0000\ud800';
const DANGEROUS = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

describe('a hostile text', () => {
  it.each<[string, (text: string) => string]>([
    ['a line', printable],
    ['lines', printableLines],
    ['a cell of columns', (text) => columns(['A'], [[text]])],
    ['Markdown', escapeMarkdown],
    ['HTML', escapeHtml],
    ['embedded JSON', (text) => escapeText(JSON.stringify(text))],
    ['a quoted answer', quoteForeign],
  ])('is harmless as %s', (_what, show) => {
    expect(show(`ok ${HOSTILE} end`)).not.toMatch(DANGEROUS);
    expect(show(`ok ${HOSTILE} end`)).toContain('ok ');
  });
  it('cannot begin a new row of a printed table, or widen its columns', () => {
    const text = columns(
      ['WHO', 'WHAT'],
      [
        ['ann\n2026 approve eve', 'x'],
        ['bo', 'y'],
      ],
    );
    expect(text.split('\n')).toHaveLength(3);
    expect(text).toContain('ann\\n2026 approve eve');
    const [, first, second] = text.split('\n');
    expect(first!.indexOf('x')).toBe(second!.indexOf('y'));
  });
  it('in JSON has the same value after it was made printable', () => {
    const value = { text: HOSTILE, emoji: '😀 ä' };
    expect(JSON.parse(printableLines(JSON.stringify(value, null, 2)))).toEqual(value);
    expect(printable('😀 ä — ✔')).toBe('😀 ä — ✔');
  });
  it('is cut off after 300 characters if it is quoted', () =>
    expect(quoteForeign('x'.repeat(1000)).length).toBe(301));
});

describe('an error that quotes values of rows', () => {
  const CARD = '4111 1111';
  const postgres = (code: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), { code, severity: 'ERROR', ...more });
  it.each([
    postgres('22P02', `invalid input syntax for type numeric: "${CARD}"`, {
      detail: CARD,
      where: `COPY t, line 1: "${CARD}"`,
    }),
    postgres('22003', `value "${CARD}" is out of range for type integer`),
    postgres('22008', `date/time field value out of range: "${CARD}"`),
    postgres('22P02', `malformed array literal: "a ""${CARD}"" b"`),
    postgres('23505', 'duplicate key value violates unique constraint "x"', {
      detail: `Key (id)=(${CARD}) already exists.`,
    }),
  ])('loses these values if it is from Postgres: %s', (error) => {
    const { message } = classify(error);
    expect(message).not.toContain('4111');
    expect(message).toContain((error as unknown as { code: string }).code);
  });
  it('names the column that the server names', () => {
    expect(
      classify(postgres('22P02', `invalid input: "${CARD}"`, { table: 'orders', column: 'card' }))
        .message,
    ).toContain('in orders.card');
  });
  it.each([
    `ERROR: duplicate key value violates unique constraint "t_pkey"\n  Detail: Key (card)=(${CARD}) already exists.`,
    `ERROR: null value in column "n" violates not-null constraint\n  Detail: Failing row contains (${CARD}, null).`,
    `Batch entry 0 insert into "public"."t" ("card") values (('${CARD}')) was aborted: ERROR: invalid input syntax for type integer: "${CARD}"`,
    `Converting byte[] to Kafka Connect data failed: JsonParseException: Unrecognized token '${CARD}' at [Source: (byte[])"{"card": "${CARD}"}"; line: 1, column: 3]`,
    `Conversion error: Struct{id=1,card=${CARD},address=Struct{city=${CARD}}}`,
    `Cannot parse value: '${CARD}'`,
  ])('loses these values if it is from a connector: %s', (trace) => {
    expect(withoutValues(trace)).not.toContain('4111');
  });
  it('keeps what a person needs if it is from a connector', () => {
    const said = withoutValues(
      'The message is 5242969 bytes when serialized which is larger than 1048576: topic "orders", slot "sluice_x" is active',
    );
    expect(said).toContain('5242969');
    expect(said).toContain('slot "sluice_x"');
    expect(
      withoutValues(
        'Invalid Java object for schema with type STRING: class java.lang.Integer for field: "name"',
      ),
    ).toContain('field: "name"');
  });
});
