// Defines the table `ledger` that is corrupted, which has nothing to do with Sluice's ledger. It
// has columns of many types, and partitions of several sizes. It has so many rows that later
// windows read only the rows that changed and a scrub.

/**
 * Clean changes of single rows use the ids up to this one. Corruptions of single rows use the ids
 * between KEPT and SMALL.
 */
export const KEPT = 2000;
export const FIRST = 1;
/**
 * The first ids of two partitions. The one at SMALL has 300 rows. The one at BIG has more rows than
 * a window examines individually.
 */
export const SMALL = 18_001;
export const BIG = 18_301;
export const LAST = 24_000;
/** The first of many keys that no row has yet. These keys belong to the last partition. */
export const STRANGE = 100_000;

export const SETUP = `CREATE TABLE ledger (id int PRIMARY KEY, account text NOT NULL, amount numeric NOT NULL, rate float8 NOT NULL, open bool NOT NULL,
  booked timestamptz NOT NULL, day date NOT NULL, note text, doc jsonb NOT NULL, raw bytea NOT NULL, tags text[] NOT NULL, ref uuid NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE ledger_main PARTITION OF ledger FOR VALUES FROM (${FIRST}) TO (${SMALL});
CREATE TABLE ledger_small PARTITION OF ledger FOR VALUES FROM (${SMALL}) TO (${BIG});
CREATE TABLE ledger_big PARTITION OF ledger FOR VALUES FROM (${BIG}) TO (${LAST + 1});
CREATE TABLE ledger_strange PARTITION OF ledger FOR VALUES FROM (${LAST + 1}) TO (1000000);
CREATE FUNCTION a_row(g int) RETURNS ledger LANGUAGE sql AS $$ SELECT g, 'Acc ' || g % 40, g * 1.10, g / 7.0, g % 2 = 0, timestamptz '2026-03-29 00:00Z' + g * interval '17.000003 min',
  date '2026-02-20' + g % 20, CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'né ' || g END, jsonb_build_object('n', g, 'z', NULL), decode(md5(g::text), 'hex'), ARRAY['x', g::text], md5(g::text)::uuid $$;
INSERT INTO ledger SELECT (a_row(g)).* FROM generate_series(${FIRST}, ${LAST}) g; ANALYZE ledger;`;

/** Inserts the rows from `from` to `to` with their original values. */
export const rowsAgain = (from: number, to: number): string =>
  `INSERT INTO ledger SELECT (a_row(g)).* FROM generate_series(${from}, ${to}) g`;
