// Tests the JSON that the ledger stores. Postgres must accept it for every text.
import { describe, expect, it } from 'vitest';
import { jsonText } from '../../src/clients/ledger/json-text.js';

describe('JSON for the ledger', () => {
  it.each([
    ['NUL', 'a\0b', 'a\\u0000b'],
    ['half of an emoji', 'a\ud83d', 'a\\ud83d'],
    ['the other half', '\ude00b', '\\ude00b'],
    ['a whole emoji', '😀', '😀'],
    ['an escape that the text itself contains', 'a\\u0000b', 'a\\u0000b'],
    ['a backslash before NUL', '\\\0', '\\\\u0000'],
    ['other control characters', '\u001f\n"\\', '\u001f\n"\\'],
  ])('has a text that Postgres accepts for %s', (_what, text, stored) => {
    const json = jsonText({ [text]: [text] });
    expect(json.replaceAll('\\\\', '')).not.toMatch(/\\u0000|\\ud[89a-f]/);
    expect(JSON.parse(json)).toEqual({ [stored]: [stored] });
  });
});
