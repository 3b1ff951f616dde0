// Runs the small example through the public command line: a proof on a slice, then a migration
// whose pipeline is killed once. The migration's final window does not compare the result again:
// `finalResult` lets it use a recent comparison.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWarehouse, keepMoving } from '../../examples/stock-levels/warehouse.js';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { onThisStack } from '../support/access.js';
import { dismantle } from '../support/live.js';
import { TestWorker, get, reach, sluice, waitFor } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const NAME = 'stock-levels';
const EXAMPLE = 'examples/stock-levels';
const PIPELINE = `${process.execPath} --import tsx ${EXAMPLE}/pipeline.ts`;
const worker = new TestWorker();
let isOver = false;
let pipeline: ChildProcess | undefined;
let writing: Promise<void>;

beforeAll(async () => {
  await createWarehouse('warehouse');
  writing = keepMoving('warehouse', () => isOver);
  await worker.start();
});
afterAll(async () => {
  isOver = true;
  await writing;
  pipeline?.kill('SIGKILL');
  await worker.kill('SIGTERM');
});

function localSpec(): string {
  const dir = temporaryFolder('sluice-stock-');
  const text = readFileSync(`${EXAMPLE}/migration.yaml`, 'utf8').replace(
    'route: { type: none }',
    'route: { type: none }, finalResult: { recent: 30m }',
  );
  writeFileSync(join(dir, 'migration.yaml'), onThisStack(text, 'warehouse'));
  writeFileSync(join(dir, 'stock_levels.sql'), readFileSync(`${EXAMPLE}/stock_levels.sql`));
  return join(dir, 'migration.yaml');
}

function deploy(): void {
  const [command, ...args] = PIPELINE.split(' ');
  pipeline = spawn(command!, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TOPIC_PREFIX: NAME, OUTPUT_TOPIC: NAME, APPLICATION_ID: NAME },
  });
}

const passedResults = ({ windows }: StatusWithWindows) =>
  windows.filter((w) => w.subject === 'result' && w.verdict === 'passed');

describe('the small example', () => {
  it('is proven on a slice, survives a killed pipeline, and migrates with a recent result comparison', async () => {
    const spec = localSpec();
    const slice = ['--slice', 'product_id < 5', '--run', PIPELINE];
    const proof = sluice('prove', '-f', spec, ...slice, '-o', 'json');
    expect(JSON.parse(proof.stdout), proof.stderr).toMatchObject({ verdict: 'passed' });

    expect(sluice('start', '-f', spec).code).toBe(0);
    deploy();
    await waitFor(NAME, 'approval');
    expect(passedResults(await get(NAME)).at(-1)).toMatchObject({
      mismatched: 0,
      missing: 0,
      extraneous: 0,
    });

    pipeline!.kill('SIGKILL');
    const before = (await get(NAME)).windows.at(-1)!.number;
    deploy();
    await reach(NAME, 'a window after the restart that passed', (s) =>
      passedResults(s).some(({ number }) => number > before + 1),
    );
    isOver = true; // stops the writer before the cut-over
    await writing;
    expect(sluice('approve', NAME, '--approver', 'ann', '--reason', 'proven', '--yes').code).toBe(
      0,
    );
    await waitFor(NAME, 'outcome=migrated');
    const { events } = JSON.parse(sluice('report', NAME, '-o', 'json').stdout) as {
      events: { kind: string; detail: string }[];
    };
    const final = events.find((e) => e.detail.includes('the results were compared by window'))!;
    const [, number, rest] =
      /final window (\d+): .* the results were compared by window (\d+), which began \d+ s earlier/.exec(
        final.detail,
      )!;
    const { windows } = await get(NAME);
    expect(windows.filter((w) => w.number === Number(rest)).map((w) => w.verdict)).toEqual(
      expect.arrayContaining(['passed', 'passed']),
    );
    const under = windows.filter((w) => w.number === Number(number)).map((w) => w.subject);
    expect(under).toEqual(['public.movements']);
    const source = new pg.Client({ database: 'warehouse' });
    await source.connect();
    await dismantle(source, NAME);
    await source.end();
  });
});
