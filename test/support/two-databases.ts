// Creates a source and a reporting database, each with a role that cannot log in to the other
// database.
import { freshDatabase, specOf, testPostgres, withDatabase } from './sluice.js';

type Database = Awaited<ReturnType<typeof freshDatabase>>;

export interface TwoDatabases {
  readonly source: Database;
  readonly target: Database;
  /** The roles with which the worker logs in. */
  readonly roles: { readonly source: string; readonly target: string };
  readonly spec: (name: string, more?: Record<string, unknown>) => object;
  readonly drop: () => Promise<void>;
}

const SOURCE = `CREATE TABLE orders (id bigint PRIMARY KEY, bucket bigint NOT NULL);
  INSERT INTO orders SELECT g, g % 7 FROM generate_series(1, 500) g;`;
/** The view has a filter, a comment and a reader, so that a rollback has something to restore. */
const TARGET = (reader: string): string => `
  CREATE TABLE counts_batch (bucket bigint PRIMARY KEY, n bigint NOT NULL);
  CREATE TABLE batch_runs (run_id text PRIMARY KEY, cut_at timestamptz, started_at timestamptz, finished_at timestamptz);
  INSERT INTO counts_batch SELECT g % 7, count(*) FROM generate_series(1, 500) g GROUP BY 1;
  INSERT INTO batch_runs VALUES ('1', now(), now(), now());
  CREATE VIEW counts AS SELECT bucket, n FROM counts_batch WHERE bucket >= 0;
  COMMENT ON VIEW counts IS 'orders per bucket'; CREATE ROLE ${reader}; GRANT SELECT ON counts, counts_batch TO ${reader};`;

/** Makes both databases and the roles. Each role that can log in has the password of the stack. */
export async function twoDatabases(): Promise<TwoDatabases> {
  const source = await freshDatabase(SOURCE);
  const target = await freshDatabase('SELECT 1');
  const roles = { source: `${source.name}_giver`, target: `${target.name}_taker` };
  const reader = `${target.name}_reader`;
  await target.client.query(TARGET(reader));
  for (const { name, client } of [source, target])
    await client.query(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
  for (const role of Object.values(roles))
    await source.client.query(
      `CREATE ROLE ${role} LOGIN PASSWORD '${process.env['PGPASSWORD'] ?? 'sluice-local'}'`,
    );
  const login = (database: string, user: string): object => ({ ...testPostgres(database), user });
  return {
    source,
    target,
    roles,
    spec: (name, more = {}) =>
      specOf(name, source.name, ['public.orders'], {
        source: { postgres: login(source.name, roles.source), tables: ['public.orders'] },
        target: { postgres: login(target.name, roles.target) },
        batch: {
          result: { table: 'public.counts_batch', key: ['bucket'] },
          query: { sql: 'SELECT bucket, count(*) AS n FROM public.orders GROUP BY bucket' },
          runs: { table: 'public.batch_runs' },
        },
        pipeline: {
          type: 'external',
          groups: [`${name}-counts`],
          output: { topic: `${name}-counts`, key: ['bucket'] },
        },
        sink: { type: 'jdbc-sink', table: 'public.counts_stream' },
        cutover: {
          route: {
            type: 'postgres-view',
            view: 'public.counts',
            batch: 'public.counts_batch',
            stream: 'public.counts_stream',
          },
        },
        ...more,
      }),
    drop: async () => {
      await source.drop();
      await target.drop();
      await withDatabase('postgres', async (admin) => {
        for (const role of [...Object.values(roles), reader])
          await admin.query(`DROP ROLE IF EXISTS ${role}`);
      });
    },
  };
}

/** Returns everything about the view that a rollback must restore. */
export const viewOf = async ({ target }: TwoDatabases): Promise<object> =>
  (
    await target.client.query<object>(
      `SELECT pg_get_viewdef(c.oid) AS text, reloptions::text, relacl::text, pg_get_userbyid(relowner) AS owner, obj_description(c.oid) AS comment
         FROM pg_class c WHERE c.oid = 'counts'::regclass`,
    )
  ).rows[0]!;
