// `npm run bench -- prove [--rows 1000000]` runs `sluice prove` on `examples/daily-revenue` with
// about `--rows` rows, all of which are in the slice. It uses the Kafka Streams pipeline. It prints
// the times of the whole command, of the replay into Kafka and of the pipeline. It needs the local
// stack.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { asOneRole, createShop } from '../examples/daily-revenue/legacy/shop.js';
import { buildPipeline } from '../examples/daily-revenue/pipeline.js';
import { stackHome } from '../stack/paths.js';
import type { ProofResult } from '../src/domain/evidence/slice-proof.js';
import { TestWorker, sluice } from '../test/support/sluice.js';

const EXAMPLE = resolve('examples/daily-revenue');
const ROWS_PER_ORDER = 2.35;

export async function proveBench(rows: number): Promise<void> {
  await buildPipeline((line) => console.error(line));
  await createShop('bench_shop', { orders: Math.round(rows / ROWS_PER_ORDER), seed: 1 });
  const { postgres, kafka, connect } = stackHome().ports;
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const text = asOneRole(readFileSync(join(EXAMPLE, 'migration.yaml'), 'utf8'))
    .replace('port: 17401, database: shop', `port: ${postgres}, database: bench_shop`)
    .replace('127.0.0.1:17402', `127.0.0.1:${kafka}`)
    .replace('127.0.0.1:17404', `127.0.0.1:${connect}`);
  writeFileSync(join(dir, 'migration.yaml'), text);
  for (const query of ['daily_revenue.sql', 'store_quarters.sql'])
    writeFileSync(join(dir, query), readFileSync(join(EXAMPLE, query)));
  const worker = new TestWorker();
  await worker.start();
  try {
    const command = `PIPELINE_VERSION=2 exec java -Xmx768m -XX:+UseSerialGC -cp '${EXAMPLE}/pipeline/target/daily-revenue-1.jar:${EXAMPLE}/pipeline/target/lib/*' dev.sluice.example.Main`;
    const started = performance.now();
    const { stdout, stderr } = sluice(
      'prove',
      '-f',
      join(dir, 'migration.yaml'),
      '--slice',
      'store_id >= 0',
      '--run',
      command,
      '-o',
      'json',
    );
    const seconds = (performance.now() - started) / 1000;
    const result = JSON.parse(stdout) as ProofResult;
    const { replayed } = result;
    if (!replayed) throw new Error(stderr);
    const rate = (records: number, ms: number): string =>
      `${Math.round((records / ms) * 1000).toLocaleString('en')}/s`;
    console.log(
      `proof of ${replayed.records.toLocaleString('en')} rows: ${result.verdict}, ${seconds.toFixed(1)} s in all`,
    );
    console.log(
      `  replay ${(replayed.ms / 1000).toFixed(1)} s (${rate(replayed.records, replayed.ms)}, ${(replayed.bytes / 2 ** 20).toFixed(0)} MiB), pipeline ${((result.pipelineMs ?? 0) / 1000).toFixed(1)} s`,
    );
  } finally {
    await worker.kill('SIGTERM');
  }
}
