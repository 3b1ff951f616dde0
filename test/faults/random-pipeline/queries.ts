// Builds a random query over the tables `a` and `b`. It may have joins, aggregates, window
// functions, sub-queries, a CTE, a set operation or a view.

type Next = () => number;

export const pick = <T>(next: Next, items: readonly T[]): T =>
  items[Math.floor(next() * items.length)]!;

export interface RandomQuery {
  readonly sql: string;
  readonly key: readonly string[];
}

const CONDITIONS = [
  'true',
  'a.f',
  'a.n > 1',
  'a.t IS NOT NULL',
  `a.at < '2026-01-03'`,
  'NOT coalesce(a.f, false)',
  'EXISTS (SELECT FROM b AS e WHERE e.x = a.g AND e.f)',
  'NOT EXISTS (SELECT FROM public.b AS e WHERE e.x = a.g)',
  'a.g IN (SELECT x FROM b WHERE d > 2)',
  'a.d >= (SELECT avg(d) FROM a)',
  'a.n = ANY (SELECT n FROM b)',
];

const JOINS = [
  'a LEFT JOIN (SELECT NULL::int AS x, NULL::text AS y, NULL::bigint AS n, NULL::numeric AS d, NULL::boolean AS f) AS b ON false',
  'a JOIN b ON b.x = a.g',
  'public.a LEFT JOIN public.b ON b.x = a.g AND b.f',
  'a LEFT JOIN (SELECT * FROM b WHERE n IS NOT NULL) AS b ON b.x = a.g',
  'a, LATERAL (SELECT b.* FROM b WHERE b.x = a.g ORDER BY b.y LIMIT 1) AS b',
  'a JOIN b USING (n)',
];

const AGGREGATES = [
  'count(*)',
  'sum(a.d)',
  'max(b.d)',
  'min(a.t)',
  'count(DISTINCT b.y)',
  'bool_or(a.f)',
  `string_agg(a.t, ',' ORDER BY a.id)`,
  'sum(a.id) FILTER (WHERE a.f)',
  'round(avg(b.d), 4)',
  `max(a.at)::date - '2026-01-01'`,
];

const GROUPS = [
  'coalesce(a.g, -1)',
  `coalesce(a.t, '-')`,
  'a.id % 3',
  `date_trunc('day', a.at) IS NULL`,
];

/** A view that reads both tables. It exists in every schema that has them. */
export const VIEW = `CREATE VIEW both_of AS SELECT a.g, b.y, a.d + coalesce(b.d, 0) AS d FROM a LEFT JOIN b ON b.x = a.g`;

function grouped(next: Next): string {
  const aggregates = [1, 2, 3].map((at) => `${pick(next, AGGREGATES)} AS v${at}`);
  return `SELECT (${pick(next, GROUPS)})::text AS k, ${aggregates.join(', ')} FROM ${pick(next, JOINS)} WHERE ${pick(next, CONDITIONS)} GROUP BY 1`;
}

export function randomQuery(next: Next): RandomQuery {
  const condition = pick(next, CONDITIONS);
  switch (Math.floor(next() * 7)) {
    case 0:
      return {
        sql: `SELECT a.id AS k, a.t, a.d, row_number() OVER (PARTITION BY a.g ORDER BY a.d, a.id) AS v FROM a WHERE ${condition}`,
        key: ['k'],
      };
    case 1:
      return {
        sql: `WITH c AS (SELECT x, count(*) AS m, max(d) AS top FROM b GROUP BY x) SELECT a.id AS k, c.m, c.top FROM a LEFT JOIN c ON c.x = a.g WHERE ${condition}`,
        key: ['k'],
      };
    case 2:
      return {
        sql: `SELECT coalesce(g, -1) AS k, count(*) AS v1, sum(d) AS v2, min(y) AS v3 FROM both_of GROUP BY 1`,
        key: ['k'],
      };
    case 3: {
      const sql = `SELECT 'one' AS part, coalesce(a.g, -1) AS k, sum(a.d) AS v FROM a WHERE ${condition} GROUP BY a.g
        UNION ALL SELECT 'two', x, max(d) FROM b GROUP BY x`;
      return { sql, key: ['part', 'k'] };
    }
    default:
      return { sql: grouped(next), key: ['k'] };
  }
}
