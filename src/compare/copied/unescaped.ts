// Decodes a field of COPY's text format to the text of its value.
const BACKSLASH = 0x5c;

/** The characters that COPY writes as a backslash and a letter. */
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Returns the text of the field in `[from, to)` of `b`. The field is never NULL. */
export function unescaped(b: Buffer, from: number, to: number): string {
  const text = b.toString('utf8', from, to);
  if (b.subarray(from, to).indexOf(BACKSLASH) < 0) return text;
  return text.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter);
}
