// Lists batch queries as people write them. Each has flags for its properties that can be a problem
// in a stream, such as the use of a clock. It also has the most demanding kind of state that a
// stream would need.
import type { FlagId } from '../../src/assess/sql/flags.js';
import type { SqlAnalysis } from '../../src/assess/sql/analyse.js';

export type Entry = readonly [sql: string, flags: readonly FlagId[], hardest: SqlAnalysis['class']];

/** Types of columns. Outside tests, they come from the catalog. */
export const TYPES = new Map([
  ['at', 'timestamptz'],
  ['ts', 'timestamp'],
  ['opens', 'timetz'],
  ['weight', 'float8'],
  ['ratio', 'float4'],
]);

export const CORPUS: readonly Entry[] = [
  // conversions to a zone; for a time of day, the offset of the zone depends on the current date
  ["SELECT id, opens AT TIME ZONE 'Europe/Berlin' AS o FROM shops", ['now'], 'stateless'],
  ['SELECT id, timezone(zone, opens) AS o FROM shops', ['now'], 'stateless'],
  ["SELECT id, opens AT TIME ZONE 'UTC' AS o FROM shops", [], 'stateless'],
  ["SELECT id, at AT TIME ZONE 'Europe/Berlin' AS o FROM shops", [], 'stateless'],
  // neither groups nor joins
  ['SELECT id, amount FROM pay', [], 'stateless'],
  ["SELECT id, upper(name) AS name FROM customers WHERE region = 'north'", [], 'stateless'],
  ['SELECT id FROM a UNION ALL SELECT id FROM b', [], 'stateless'],
  [
    "SELECT id, CASE WHEN amount > 10 THEN 'big' ELSE 'small' END AS size FROM pay",
    [],
    'stateless',
  ],
  ["SELECT id, payload->>'kind' AS kind FROM events WHERE payload ? 'kind'", [], 'stateless'],
  ['SELECT * FROM pay WHERE amount > 0', ['select-star'], 'stateless'],
  ['SELECT p.* FROM pay p', ['select-star'], 'stateless'],
  ["SELECT id, (at AT TIME ZONE 'UTC')::date AS day FROM pay", [], 'stateless'],
  ['SELECT id, extract(epoch FROM at) AS seconds FROM pay', [], 'stateless'],
  // groups, distinct rows and set operations
  ['SELECT store, sum(amount) FROM pay GROUP BY store', [], 'keyed state'],
  ['SELECT store, count(*) AS n FROM pay GROUP BY 1 HAVING count(*) > 3', [], 'keyed state'],
  ["SELECT date_trunc('day', ts) AS day, avg(amount) FROM pay GROUP BY 1", [], 'keyed state'],
  ['SELECT count(*) FROM pay', [], 'keyed state'],
  ['SELECT store, min(amount), max(amount) FROM pay GROUP BY store', [], 'keyed state'],
  [
    "SELECT store, count(*) FILTER (WHERE state = 'open') AS open FROM pay GROUP BY store",
    [],
    'keyed state',
  ],
  ['SELECT store, bool_and(paid) FROM pay GROUP BY store', [], 'keyed state'],
  ['SELECT store, count(DISTINCT customer) FROM pay GROUP BY store', [], 'unbounded state'],
  [
    'SELECT store, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM pay GROUP BY store',
    ['ordered-set'],
    'unbounded state',
  ],
  [
    "SELECT store, string_agg(sku, ',') FROM pay GROUP BY store",
    ['unordered-aggregate'],
    'unbounded state',
  ],
  [
    "SELECT store, string_agg(sku, ',' ORDER BY sku) FROM pay GROUP BY store",
    [],
    'unbounded state',
  ],
  [
    'SELECT store, array_agg(id) FROM pay GROUP BY store',
    ['unordered-aggregate'],
    'unbounded state',
  ],
  ['SELECT store, jsonb_agg(id ORDER BY id) FROM pay GROUP BY store', [], 'unbounded state'],
  ['SELECT store, sum(weight) FROM pay GROUP BY store', ['float-sum'], 'keyed state'],
  ['SELECT store, avg(amount::float8) FROM pay GROUP BY store', ['float-sum'], 'keyed state'],
  ['SELECT store, sum(amount::numeric) FROM pay GROUP BY store', [], 'keyed state'],
  [
    'SELECT region, store, sum(amount) FROM pay GROUP BY ROLLUP (region, store)',
    ['grouping-sets'],
    'keyed state',
  ],
  [
    'SELECT region, store, sum(amount) FROM pay GROUP BY GROUPING SETS ((region), (store))',
    ['grouping-sets'],
    'keyed state',
  ],
  ['SELECT DISTINCT store FROM pay', ['distinct-unbounded'], 'keyed state'],
  [
    'SELECT DISTINCT ON (customer) customer, amount FROM pay ORDER BY customer, ts DESC',
    [],
    'keyed state',
  ],
  ['SELECT id FROM a UNION SELECT id FROM b', [], 'keyed state'],
  ['SELECT id FROM a EXCEPT SELECT id FROM b', [], 'keyed state'],
  ['SELECT id FROM a INTERSECT ALL SELECT id FROM b', [], 'keyed state'],
  // joins
  ['SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id', [], 'keyed state'],
  [
    'SELECT o.id, c.name FROM orders o LEFT JOIN customers c USING (customer_id)',
    [],
    'keyed state',
  ],
  [
    'SELECT o.id, c.name FROM orders o, customers c WHERE c.id = o.customer_id AND o.amount > 5',
    [],
    'keyed state',
  ],
  ['SELECT o.id, c.name FROM orders o NATURAL JOIN customers c', [], 'keyed state'],
  ['SELECT a.id FROM a CROSS JOIN b', ['cross-join'], 'unbounded state'],
  ['SELECT a.id FROM a, b', ['cross-join'], 'unbounded state'],
  ['SELECT a.id FROM a JOIN b ON a.low < b.high', ['cross-join'], 'unbounded state'],
  ['SELECT a.id FROM a LEFT JOIN b ON b.low < a.high', ['outer-no-key'], 'unbounded state'],
  ['SELECT a.id, b.id FROM a FULL JOIN b ON a.id = b.id', ['full-outer-join'], 'keyed state'],
  [
    'SELECT o.id, r.rate FROM orders o JOIN rates r ON r.currency = o.currency AND r.since <= o.ts AND o.ts < r.until',
    [],
    'keyed state',
  ],
  [
    'SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM pay p WHERE p.order_id = o.id)',
    [],
    'keyed state',
  ],
  [
    'SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM pay p WHERE p.order_id = o.id)',
    [],
    'keyed state',
  ],
  [
    'SELECT id FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE vip)',
    [],
    'keyed state',
  ],
  [
    'SELECT id FROM orders WHERE customer_id NOT IN (SELECT id FROM blocked)',
    ['not-in'],
    'keyed state',
  ],
  [
    'SELECT o.id, (SELECT max(amount) FROM pay p WHERE p.order_id = o.id) AS top FROM orders o',
    [],
    'keyed state',
  ],
  [
    'SELECT o.id, l.sku FROM orders o CROSS JOIN LATERAL (SELECT sku FROM items i WHERE i.order_id = o.id ORDER BY price DESC LIMIT 1) l',
    ['lateral'],
    'unbounded state',
  ],
  ['SELECT o.id, t.tag FROM orders o CROSS JOIN unnest(o.tags) AS t(tag)', [], 'stateless'],
  // clocks, random values, and conversions that depend on the session's time zone
  ["SELECT id FROM pay WHERE ts > now() - interval '1 day'", ['now'], 'stateless'],
  ['SELECT id FROM pay WHERE ts::date = current_date', ['now'], 'stateless'],
  ["SELECT id FROM pay WHERE ts >= 'today'::date", ['now'], 'stateless'],
  ['SELECT id, age(ts) FROM pay', ['now'], 'stateless'],
  ['SELECT id, localtimestamp AS read_at FROM pay', ['now'], 'stateless'],
  ['SELECT id, clock_timestamp() AS read_at FROM pay', ['volatile'], 'stateless'],
  ['SELECT id, random() AS r FROM pay', ['volatile'], 'stateless'],
  ["SELECT nextval('seq') AS n, id FROM pay", ['volatile'], 'stateless'],
  ['SELECT gen_random_uuid() AS id, amount FROM pay', ['volatile'], 'stateless'],
  ['SELECT at::date AS day, count(*) FROM pay GROUP BY 1', ['local-time'], 'keyed state'],
  [
    "SELECT date_trunc('day', at) AS day, count(*) FROM pay GROUP BY 1",
    ['local-time'],
    'keyed state',
  ],
  [
    "SELECT to_char(at, 'YYYY-MM') AS month, count(*) FROM pay GROUP BY 1",
    ['local-time'],
    'keyed state',
  ],
  [
    "SELECT date_trunc('day', at, 'Europe/Berlin') AS day, count(*) FROM pay GROUP BY 1",
    [],
    'keyed state',
  ],
  ['SELECT id FROM pay TABLESAMPLE SYSTEM (5)', ['tablesample'], 'not streamable'],
  // recursion, inserts, functions and other forms
  [
    'WITH RECURSIVE t AS (SELECT id FROM n WHERE parent IS NULL UNION ALL SELECT n.id FROM n JOIN t ON n.parent = t.id) SELECT count(*) FROM t',
    ['recursive'],
    'not streamable',
  ],
  [
    'WITH s AS (SELECT store, sum(amount) AS total FROM pay GROUP BY store) SELECT s.store, s.total, t.name FROM s JOIN stores t ON t.id = s.store',
    [],
    'keyed state',
  ],
  [
    'INSERT INTO result (store, total) SELECT store, sum(amount) FROM pay GROUP BY store',
    [],
    'keyed state',
  ],
  [
    'TRUNCATE result; INSERT INTO result (store, total) SELECT store, sum(amount) FROM pay GROUP BY store',
    [],
    'keyed state',
  ],
  [
    'INSERT INTO result (store, total) SELECT p.store, coalesce(r.total, 0) + p.amount FROM pay p LEFT JOIN result r ON r.store = p.store',
    ['reads-own-output'],
    'keyed state',
  ],
  [
    'CREATE TABLE result AS SELECT store, sum(amount) AS total FROM pay GROUP BY store',
    [],
    'keyed state',
  ],
  ['SELECT relname FROM pg_catalog.pg_class', ['system-catalog'], 'stateless'],
  ['SELECT id FROM pay FOR UPDATE', ['row-lock'], 'stateless'],
  ['SELECT id, price_of(sku) AS price FROM items', ['unknown-function'], 'stateless'],
  ['SELECT id, finance.net(amount) AS net FROM pay', ['unknown-function'], 'stateless'],
  [
    'WITH gone AS (DELETE FROM queue RETURNING id) SELECT id FROM gone',
    ['side-effect'],
    'stateless',
  ],
];
