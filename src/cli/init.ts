// sluice init NAME [-f FILE]: writes a spec to start from, and never overwrites a file. With --sql,
// it prints the roles and grants that the spec in FILE needs.
import { existsSync, writeFileSync } from 'node:fs';
import { writing } from './support/file-text.js';
import { parseSpecText } from '../manifest/parse.js';
import { CliError, EXIT, print, type Format } from './support/output.js';

export async function init(
  name: string | undefined,
  options: { file: string; sql?: boolean; output: Format },
): Promise<number> {
  if (options.sql && name !== undefined)
    throw new CliError(
      EXIT.usage,
      'usage',
      '--sql reads the spec in -f FILE, so it takes no name',
      ['sluice init --sql -f migration.yaml'],
    );
  if (options.sql) return (await import('./grants.js')).grants(options);
  if (name === undefined)
    throw new CliError(EXIT.usage, 'usage', 'give the migration a name', [
      'sluice init NAME',
      'sluice init --sql -f migration.yaml',
    ]);
  if (existsSync(options.file))
    throw new CliError(
      EXIT.failed,
      'exists',
      `${options.file} already exists; nothing was written`,
      [`sluice init ${name} -f another.yaml`],
    );
  const text = template(name);
  const parsed = parseSpecText(text, options.file, () => '');
  if (!parsed.ok)
    throw new CliError(
      EXIT.usage,
      'usage',
      parsed.problems.map((p) => `${p.path}: ${p.message}`).join('; '),
    );
  writing(options.file, () => writeFileSync(options.file, text));
  const next = [`sluice validate -f ${options.file}`, `sluice doctor -f ${options.file}`];
  await print(
    { file: options.file, next },
    options.output,
    () =>
      `${options.file} written. Change the places marked "change", then run\n  ${next.join('\n  ')}`,
  );
  return EXIT.ok;
}

const template = (
  name: string,
): string => `# For editors: sluice schema spec > migration.schema.json
# yaml-language-server: $schema=./migration.schema.json
apiVersion: sluice.dev/v1alpha1
kind: Migration
metadata: { name: ${name} }
spec:
  source:
    # change: the legacy database, and the tables that the batch reads
    postgres: { host: 127.0.0.1, port: 5432, database: shop, user: sluice, passwordFrom: { env: SLUICE_SECRET_SOURCE } }
    tables: [public.orders]
  batch:
    # change: the table that the batch fills, and what it computes, as one SELECT
    result: { table: public.daily_result, key: [day] }
    query: { sql: "SELECT day, sum(amount) AS total FROM public.orders GROUP BY day" }
    # runs: { table: public.batch_runs } # with run_id, cut_at, started_at, finished_at, so that Sluice sees a batch run during the cut-over. Or { application: ... }
  connector:
    type: debezium-postgres
    url: http://127.0.0.1:8083
  kafka: { brokers: ["127.0.0.1:9092"] }
  pipeline:
    type: external # or flink-sql, with gateway and statements
    groups: [${name}]
    output: { topic: ${name}, key: [day] }
  sink: { type: jdbc-sink, table: public.daily_result_stream }
  validation:
    every: 1h
    passesInARow: 5
    coverage: [weekday, weekend]
  cutover:
    approval: { quorum: 1 }
    # change: the view that consumers read. Or postgres-table (batch and stream write to one table), http, none
    route: { type: postgres-view, view: public.daily, batch: public.daily_result, stream: public.daily_result_stream }
  soak: { for: 24h, passes: 3 }
`;
