// Finds conversions of times to another zone: `x AT TIME ZONE z`, `x AT LOCAL`, `timezone(z, x)`.
// For a `time with time zone`, Postgres takes the offset of the zone from the current date. The
// result then depends on the clock.
import { scanSync, type ScanToken } from 'libpg-query';

/** The names of the functions that an SQL text calls. */
interface Calls {
  readonly functions: readonly string[];
}

export interface ZonedTime {
  /** The conversion without its operand, for a message. */
  readonly found: string;
  /**
   * The query, with a COLLATE for the operand. Postgres refuses this query unless the operand is a
   * text, and its error names the type of the operand.
   */
  readonly probe: string;
}

/** Matches zones whose offset never changes. */
const FIXED = /^(utc|gmt|z|zulu|etc\/(utc|gmt|uct|zulu)|[+-]?\d[\d:]*)$/i;

/** Returns whether the zone has the same offset at all times. `zone` is null if it is unknown. */
export const isFixedZone = (zone: string | null): boolean => zone !== null && FIXED.test(zone);

/** Returns whether a token of SQL is a zone with a fixed offset. This includes an interval. */
function isFixed(token: ScanToken | undefined): boolean {
  const [, zone] = /^'(.*)'$/.exec(token?.text ?? '') ?? [];
  return is(token, 'interval') || isFixedZone(zone ?? null);
}

const COLLATE = ' COLLATE "C" ';

export const convertsZones = ({ functions }: Calls): boolean =>
  functions.some((name) => /^(pg_catalog\.)?timezone$/.test(name));

/** Matches a mention of the types `time` and `timetz`, but not `timestamp` or `AT TIME ZONE`. */
const TIMES = /\btime(tz)?\b(?!\s+zone\b)/i;

/** Returns whether a function with this text may convert a time to another zone. */
export const mayConvertTime = (text: string, read: Calls): boolean =>
  convertsZones(read) && TIMES.test(text);

/** Returns the conversions of one query, except those to a fixed offset. */
export function zonedTimes(sql: string): ZonedTime[] {
  const { tokens } = scanSync(sql);
  const bytes = Buffer.from(sql, 'utf8');
  const slice = (start: number, end?: number): string => bytes.toString('utf8', start, end);
  return tokens.flatMap((token, at) => {
    const { start } = token;
    const [, second, third, zone] = words(tokens, at);
    if (is(token, 'at') && is(second, 'local'))
      return [{ found: 'AT LOCAL', probe: slice(0, start) + COLLATE + slice(start) }];
    if (is(token, 'at') && is(second, 'time') && is(third, 'zone') && !isFixed(zone))
      return [
        {
          found: `AT TIME ZONE ${zone?.text ?? ''}`,
          probe: slice(0, start) + COLLATE + slice(start),
        },
      ];
    if (!/^"?timezone"?$/i.test(token.text) || second?.text !== '(') return [];
    const { from, to } = lastArgument(tokens, at + 1);
    const isWhole = ['::', ','].includes(zone?.text ?? '');
    if (isWhole && isFixed(third)) return [];
    return [
      {
        found: 'timezone()',
        probe: `${slice(0, from)} (${slice(from, to)})${COLLATE}${slice(to)}`,
      },
    ];
  });
}

const words = (tokens: readonly ScanToken[], at: number) => tokens.slice(at, at + 4);
const is = (token: ScanToken | undefined, word: string): boolean =>
  token?.text.toLowerCase() === word;

/** Returns where the last argument begins and ends. `open` is the index of the parenthesis. */
function lastArgument(tokens: readonly ScanToken[], open: number): { from: number; to: number } {
  let from = tokens[open]!.end;
  let depth = 0;
  for (const { text, start, end } of tokens.slice(open)) {
    if (text === '(' || text === '[') depth += 1;
    if (text === ')' || text === ']') depth -= 1;
    if (text === ',' && depth === 1) from = end;
    if (depth === 0) return { from, to: start };
  }
  return { from, to: from };
}
