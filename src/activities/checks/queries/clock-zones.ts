// Finds conversions of a `time with time zone` to a zone, such as `opens AT TIME ZONE zone`. The
// offset of the zone is that of the current date, so the result changes when the clocks change.
// To find the operand's type, this code adds a COLLATE to the operand. Postgres refuses a COLLATE
// for such a type, and its error names the type.
import type pg from 'pg';
import { convertsZones, mayConvertTime, zonedTimes } from '../../../assess/sql/zoned-times.js';
import type { SqlAnalysis } from '../../../assess/sql/analyse.js';
import { describeStatement } from '../../../clients/postgres/single-statement.js';
import { errorText } from '../../../domain/values/error-text.js';
import { hasState, SQLSTATE } from '../../../domain/values/sqlstate.js';

/** A `time` counts too, because Postgres first converts it to a `time with time zone`. */
const IS_TIME = /\btime with(out)? time zone\b/;
/** The other types that can be converted. The name of a domain over such a type does not match. */
const IS_MOMENT = /\b(timestamp with(out)? time zone|date)\b/;

export interface ClockZones {
  /** Conversions whose result depends on the clock. */
  readonly clock: readonly string[];
  /** Conversions whose operand's type could not be determined, with the reason. */
  readonly unread: readonly string[];
}

/**
 * Examines the conversions of one query. The session MUST NOT be in a transaction, because Postgres
 * refuses the statements with the COLLATE, which would abort the transaction.
 */
export async function clockZones(
  client: pg.ClientBase,
  query: string,
  read: SqlAnalysis,
): Promise<ClockZones> {
  const [clock, unread]: [string[], string[]] = [[], []];
  for (const { found, probe } of convertsZones(read) ? zonedTimes(query) : []) {
    const error = await describeStatement(client, probe).then(
      () => null,
      (refused: unknown) => refused,
    );
    if (error === null || hasState(error, SQLSTATE.undefinedFunction)) continue; // a text, no time
    const why = errorText(error);
    const isType = hasState(error, SQLSTATE.datatypeMismatch);
    if (isType && IS_TIME.test(why)) clock.push(`a time of day ${found}`);
    else if (!isType || !IS_MOMENT.test(why)) unread.push(`${found}: ${why}`);
  }
  return { clock, unread };
}

/**
 * Returns whether a function with this text may convert a time of day. The time may be in the text,
 * or in a column of `tables`, which are the tables that the function reads.
 */
export async function functionMayConvertTime(
  client: pg.ClientBase,
  text: string,
  read: SqlAnalysis,
  tables: readonly string[],
): Promise<boolean> {
  if (mayConvertTime(text, read)) return true;
  if (!convertsZones(read) || tables.length === 0) return false;
  const { rows } = await client.query<{ has: string }>(
    `SELECT count(*) AS has FROM unnest($1::text[]) AS given
     JOIN pg_attribute a ON a.attrelid = to_regclass(given) AND a.attnum > 0 AND NOT a.attisdropped
     WHERE a.atttypid IN ('time'::regtype, 'timetz'::regtype)`,
    [tables],
  );
  return Number(rows[0]!.has) > 0;
}
