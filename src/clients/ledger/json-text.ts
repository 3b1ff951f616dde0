// Writes a value as JSON that Postgres accepts in its JSON columns.

const REFUSED = /\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g;

/**
 * Returns JSON in which NUL and unpaired surrogates are visible escapes, such as the six characters
 * `\u0000`. Postgres refuses these characters, although JSON allows them. Records of a topic,
 * messages of people and errors of other systems may contain them.
 */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(REFUSED, (escape) =>
    escape === '\\\\' ? escape : `\\${escape}`,
  );
