// Tests which ranges of a table's blocks Sluice does not copy again, after an attempt at the
// initial load (`snapshot: copy`) has failed. Between two attempts, an update may move a row to a
// range that is already copied. Then no attempt copies the row. Its WAL record does not always
// contain the whole row, so the topic could lack a TOASTed value.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  closeReaders,
  openReaders,
  targetsOf,
  type CopyTarget,
} from '../../src/activities/capture/load/copy-readers.js';
import { stillValid } from '../../src/activities/capture/load/copy-tables.js';
import { shareSnapshot } from '../../src/clients/postgres/shared-snapshot.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { ResolvedPlan } from '../../src/domain/plan/resolved-plan.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { connectorOf, freshDatabase, specOf } from '../support/sluice.js';

type CopyDeps = Parameters<typeof openReaders>[0];

const FAR = '(id int PRIMARY KEY, n int NOT NULL, doc text)';
const PARTS = 'PARTITION BY HASH (id)';
const TABLES = ['near', 'far', 'far_full', 'parted', 'parted_full'];
let database: Awaited<ReturnType<typeof freshDatabase>>;
let plan: ResolvedPlan;
beforeAll(async () => {
  database = await freshDatabase(`
    CREATE TABLE near ${FAR}; CREATE TABLE far ${FAR}; CREATE TABLE far_full ${FAR};
    CREATE TABLE parted ${FAR} ${PARTS}; CREATE TABLE parted_full ${FAR} ${PARTS};
    CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE parted_full_0 PARTITION OF parted_full FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    INSERT INTO near SELECT g, 0, 'short' FROM generate_series(1, 9) g`);
  for (const table of TABLES.slice(1))
    await database.client.query(
      `INSERT INTO ${table} SELECT g, 0, (SELECT string_agg(md5(g || '-' || i), '') FROM generate_series(1, 300) i) FROM generate_series(1, 9) g`,
    );
  for (const full of ['far_full', 'parted_full_0', 'parted_0'])
    // only one of the two partitions of `parted` gets FULL, so `parted` does not count as FULL
    await database.client.query(`ALTER TABLE ${full} REPLICA IDENTITY FULL`);
  const parsed = parseSpecObject(
    specOf(
      'ranges',
      database.name,
      TABLES.map((table) => `public.${table}`),
      { connector: connectorOf({ snapshot: 'copy' }) },
    ),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  plan = resolve({ spec: parsed.spec, generation: 1 });
});
afterAll(() => database.drop());

/** Opens the sessions of one attempt at the copy. Returns the tables as each session sees them. */
async function attempt(): Promise<CopyTarget[][]> {
  const deps = { secret: resolveSecret } as CopyDeps;
  const readers = await openReaders(deps, plan, await shareSnapshot(plan, resolveSecret));
  try {
    const seen: CopyTarget[][] = [];
    for (const reader of readers) seen.push(await targetsOf(plan, reader));
    return seen;
  } finally {
    await closeReaders(readers);
  }
}

const recorded = (targets: readonly CopyTarget[]) =>
  targets.map(({ table, storage }) => ({ table, chunk: 0, rows: 9, storage }));
const kept = (earlier: readonly CopyTarget[], now: readonly CopyTarget[]): string[] =>
  stillValid(recorded(earlier), now).map(({ table }) => table.replace('public.', ''));

describe('the ranges that one attempt at a copy has copied', () => {
  it('are valid in every session of this attempt, because its sessions share one snapshot', async () => {
    const [one, other] = await attempt();
    expect(kept(one!, other!)).toEqual(TABLES);
  });

  it('are valid in a later attempt only if the WAL contains the whole row that an update moved', async () => {
    const [earlier] = await attempt();
    for (const table of TABLES)
      await database.client.query(`UPDATE ${table} SET n = n + 1 WHERE id = 1`);
    const [later] = await attempt();
    expect(kept(earlier!, later!)).toEqual(['near', 'far_full', 'parted_full']);
  });

  it('are not valid if the table got its first TOASTed value between two attempts', async () => {
    const [earlier] = await attempt();
    await database.client.query(
      `UPDATE near SET doc = (SELECT doc FROM far WHERE id = 1) WHERE id = 2`,
    );
    const [later] = await attempt();
    expect(kept(earlier!, later!)).not.toContain('near');
  });
});
