// Sets up tables for a drill (a test of the cut-over on a real database). The drill's fence makes
// source tables refuse writes. There are a parent table, its child table, and a role that writes.
import pg from 'pg';
import type { Drill } from '../../bench/drill.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';

/**
 * Makes the tables and the role in the drill's database. Returns a migration that fences the
 * drill's table `source` and the table `child`.
 */
export async function fencedSources(drill: Drill): Promise<MigrationRef> {
  await drill.client.query(`
    CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);
    INSERT INTO parent SELECT generate_series(1, 9); INSERT INTO child SELECT g, g FROM generate_series(1, 9) g; DROP ROLE IF EXISTS fence_app; CREATE ROLE fence_app LOGIN PASSWORD 'app';
    GRANT ALL ON ALL TABLES IN SCHEMA public TO fence_app`);
  const plain = drill.ref();
  const spec = plain.spec.spec;
  return {
    ...plain,
    spec: {
      ...plain.spec,
      spec: {
        ...spec,
        source: { ...spec.source, tables: ['public.source', 'public.child'] },
        cutover: { ...spec.cutover, fence: 'source', maxHold: '3s' },
      },
    },
  };
}

/** Runs `use` with a session of the role `fence_app`. */
export async function asApp<T>(drill: Drill, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ database: drill.database, user: 'fence_app', password: 'app' });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
