// Reads the settings of the batch's own sessions from the catalog. They are the settings of the
// database and of the roles that the batch may use.
import type pg from 'pg';
import { loadParser } from '../../../assess/sql/analyse.js';
import { mayConvertText } from '../../../assess/sql/text-conversions.js';
import { plainName } from '../../../clients/postgres/consumer-view.js';
import { hasTarget } from '../../../domain/migration/databases.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';

export interface Session {
  /** The role or database that has the settings, as shown to a person. */
  readonly of: string;
  /** The settings that differ from Sluice's own session, in the form that SET takes. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

const OF_INTEREST = [
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'extra_float_digits',
  'bytea_output',
  'search_path',
  'lc_numeric',
  'lc_monetary',
  'lc_time',
  'array_nulls',
  'default_text_search_config',
  'timezone_abbreviations',
  'transform_null_equals',
  'xmlbinary',
  'xmloption',
];
/**
 * Settings that control how values convert to and from text. They do not affect a query without
 * such conversions.
 */
const OF_TEXT = ['DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output'];

/**
 * Returns the sessions of the batch in which the query could give a different result than in
 * Sluice's session. The settings of the database are those that Sluice's own session began with
 * (`reset_val`). They may include settings of Sluice's role.
 */
export async function sessionsOfBatch(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  sql: string,
): Promise<Session[]> {
  await loadParser();
  const { batch, route } = plan;
  const captured = new Set(plan.tables.map(({ text }) => plainName(text)));
  const convertsText = mayConvertText(sql, captured);
  const { rows } = await client.query<Record<string, string>>(
    `SELECT name, current_setting(name) AS ours, reset_val AS preset FROM pg_settings WHERE name = ANY ($1)`,
    [OF_INTEREST],
  );
  const ours = new Map(rows.map((row) => [row['name']!, row['ours']!]));
  const preset = new Map(rows.map((row) => [row['name']!, row['preset']!]));
  const { rows: roles } = await client.query<{ role: string; settings: string }>(
    `SELECT r.rolname AS role, jsonb_object_agg(split_part(s, '=', 1), substr(s, strpos(s, '=') + 1) ORDER BY d.setdatabase)::text AS settings
     FROM pg_db_role_setting d JOIN pg_roles r ON r.oid = d.setrole, unnest(d.setconfig) AS s
     WHERE d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
       AND (r.rolname = $1 OR r.oid = (SELECT relowner FROM pg_class WHERE oid = to_regclass($2))) GROUP BY r.rolname`,
    // a table of the target says nothing about the batch's session in the source
    [route.batchRole, hasTarget(plan) ? null : (batch?.result.table ?? null)],
  );
  const all = [
    { of: 'the database', values: preset },
    ...roles.map(({ role, settings }) => ({
      of: `role ${role}`,
      values: new Map([
        ...preset,
        ...byKnownName(JSON.parse(settings) as Record<string, string>, sql),
      ]),
    })),
  ];
  return all
    .map(({ of, values }) => ({
      of,
      settings: [...values].filter(([name, value]) =>
        isOther(name, value, ours.get(name) ?? '', convertsText),
      ),
    }))
    .filter(({ settings }) => settings.length > 0);
}

/**
 * Keeps the settings of interest. Also keeps a setting that a person has defined, if the text of
 * the query contains its name, because the query may then read it. The name of such a setting
 * contains a dot.
 */
const byKnownName = (settings: Record<string, string>, sql: string): [string, string][] =>
  Object.entries(settings).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    const own = name.includes('.') && sql.toLowerCase().includes(lower) ? name : undefined;
    const known = OF_INTEREST.find((other) => other.toLowerCase() === lower) ?? own;
    return known ? [[known, value] as [string, string]] : [];
  });

function isOther(name: string, value: string, ours: string, convertsText: boolean): boolean {
  if (OF_TEXT.includes(name) && !convertsText) return false;
  return same(name, value) !== same(name, ours);
}

/**
 * Normalizes a setting, so that two names of the time zone UTC, or two spellings of the same list,
 * are equal.
 */
const same = (name: string, value: string): string =>
  name === 'TimeZone' && /^(etc\/)?(utc|gmt|uct|zulu|universal|greenwich)(0|[+-]0)?$/i.test(value)
    ? 'utc'
    : value.toLowerCase().replaceAll(/[\s"]/g, '');
