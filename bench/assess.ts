// `npm run bench -- assess [--processes 200]` measures how long `sluice assess` takes for a
// portfolio of `--processes` batch processes in a real database. It also measures how long it takes
// to parse and analyze each query of test/assess/corpus.ts. It needs the local stack.
import pg from 'pg';
import { measure } from '../src/cli/support/measure-portfolio.js';
import { assess, readQuery } from '../src/assess/assessment.js';
import { portfolioSchema } from '../src/assess/portfolio.js';
import { analyseSql, loadParser } from '../src/assess/sql/analyse.js';
import { resolveSecret } from '../src/wiring/config.js';
import { CORPUS, TYPES } from '../test/assess/corpus.js';
import { benchPostgres } from './bench-postgres.js';
import { percentile } from './drill.js';

const DATABASE = 'sluice_bench_assess';

export async function assessBench(processes: number): Promise<void> {
  const admin = new pg.Client({ database: 'postgres' });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${DATABASE}`);
  try {
    await createTables(processes);
    await loadParser();
    const portfolio = portfolioSchema.parse(aPortfolio(processes));
    const started = performance.now();
    const tables = new Set(portfolio.spec.processes.flatMap((p) => tablesOf(p)));
    const runs = new Set(portfolio.spec.processes.map((p) => p.runs!.table));
    const measured = await measure(
      portfolio.spec.source!.postgres,
      resolveSecret,
      [...tables],
      [...runs],
    );
    const measuredMs = performance.now() - started;
    const assessment = assess(portfolio, measured, new Date().toISOString());
    const total = performance.now() - started;
    console.log(
      `${processes} processes, ${tables.size} tables, ${runs.size} run logs: ${(total / 1000).toFixed(2)} s, ${(measuredMs / 1000).toFixed(2)} s of it in database queries`,
    );
    console.log(
      `  unknown facts: ${[...measured.tables.values()].filter((t) => !t.known).length} tables; verdicts: ${tally(assessment.processes.map((p) => p.verdict))}`,
    );
    const times = CORPUS.flatMap(([sql]) => {
      const begun = performance.now();
      analyseSql(sql, { output: null, types: TYPES });
      return [performance.now() - begun];
    });
    console.log(
      `parsing and analyzing a query (${times.length} queries): p50 ${percentile(times, 0.5).toFixed(2)} ms, max ${Math.max(...times).toFixed(1)} ms`,
    );
  } finally {
    await admin.query(`DROP DATABASE ${DATABASE} WITH (FORCE)`);
    await admin.end();
  }
}

type Processes = ReturnType<typeof portfolioSchema.parse>['spec']['processes'];

function tablesOf(process: Processes[number]): readonly string[] {
  const read = readQuery(process);
  return read.known ? read.value.tables : [];
}

const tally = (values: readonly string[]): string =>
  [...new Set(values)].map((v) => `${values.filter((w) => w === v).length} ${v}`).join(', ');

/** Creates and fills three tables and a run log for each batch process, and runs ANALYZE. */
async function createTables(processes: number): Promise<void> {
  const client = new pg.Client({ database: DATABASE });
  await client.connect();
  for (let p = 0; p < processes; p += 1) {
    await client.query(`
      CREATE TABLE customers_${p} (id int PRIMARY KEY, name text, region text); CREATE TABLE orders_${p} (id bigint PRIMARY KEY, customer_id int, at timestamptz, state text);
      CREATE TABLE items_${p} (id bigint PRIMARY KEY, order_id bigint, amount numeric(10, 2), weight float8);
      CREATE TABLE runs_${p} (run_id int PRIMARY KEY, cut_at timestamptz, started_at timestamptz, finished_at timestamptz);
      INSERT INTO customers_${p} SELECT g, 'c', 'north' FROM generate_series(1, 50) g; INSERT INTO orders_${p} SELECT g, 1 + g % 50, now(), 'open' FROM generate_series(1, 300) g;
      INSERT INTO items_${p} SELECT g, 1 + g % 300, g, g FROM generate_series(1, 600) g; INSERT INTO runs_${p} SELECT g, now(), now(), now() FROM generate_series(1, 60) g;`);
  }
  await client.query('ANALYZE');
  await client.end();
}

function aPortfolio(processes: number): object {
  const sql = (p: number): string => `
    WITH totals AS (SELECT o.customer_id, (o.at AT TIME ZONE 'UTC')::date AS day, sum(i.amount) AS revenue, count(*) AS n
                    FROM orders_${p} o JOIN items_${p} i ON i.order_id = o.id WHERE o.state <> 'cancelled' GROUP BY 1, 2)
    SELECT t.day, c.region, sum(t.revenue) AS revenue, max(t.n) AS most FROM totals t LEFT JOIN customers_${p} c ON c.id = t.customer_id GROUP BY 1, 2`;
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Portfolio',
    metadata: { name: 'bench' },
    spec: {
      source: { postgres: benchPostgres(DATABASE) },
      processes: Array.from({ length: processes }, (_, p) => ({
        name: `process-${p}`,
        schedule: '@daily',
        query: { sql: sql(p) },
        result: { table: `public.result_${p}`, key: ['day', 'region'] },
        runs: { table: `public.runs_${p}` },
        consumers: [{ name: 'dashboard', reads: 'hourly', through: 'view' }],
      })),
    },
  };
}
