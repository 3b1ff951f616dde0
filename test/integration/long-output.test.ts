// Tests output of a command that is longer than a pipe's buffer, with a slow reader and with a
// reader that stops.
import { spawn, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { sluice } from '../support/sluice.js';

const NAME = 'long-output';
const WINDOWS = 4000;
const CLI = ['dist/cli/main.js', 'windows', NAME, '-o', 'json'];
let ledger: Ledger;

beforeAll(async () => {
  ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  await ledger.migrate();
  const status = {
    apiVersion: 'sluice.dev/v1alpha1',
    id: `migration-${NAME}`,
    name: NAME,
    iteration: 1,
    generation: 1,
    phase: 'complete',
    outcome: 'migrated',
  };
  await ledger.query(
    `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash, status, outcome) VALUES ($1, 1, 1, $2, $2, '{}', 'p', $3, 'migrated')`,
    [NAME, `migration-${NAME}`, JSON.stringify(status)],
  );
  await ledger.query(
    `INSERT INTO sluice.window_row (name, iteration, number, subject, row) SELECT $1, 1, n, 'public.t', jsonb_build_object('number', n, 'subject', 'public.t', 'reason', repeat('x', 500)) FROM generate_series(1, ${WINDOWS}) n`,
    [NAME],
  );
});
afterAll(async () => {
  for (const table of ['window_row', 'migration'])
    await ledger.query(`DELETE FROM sluice.${table} WHERE name = $1`, [NAME]);
  await ledger.close();
});

describe('a long output', () => {
  it('arrives completely, even if its reader is slow', async () => {
    expect(JSON.parse(sluice('windows', NAME, '-o', 'json').stdout)).toHaveLength(WINDOWS);
    const child = spawn(process.execPath, CLI, { stdio: ['ignore', 'pipe', 'inherit'] });
    // after this time, the command has done everything except writing the rest of its output
    await new Promise((resolve) => setTimeout(resolve, 1500));
    let text = '';
    for await (const chunk of child.stdout) text += String(chunk);
    expect(JSON.parse(text)).toHaveLength(WINDOWS);
  });

  it('ends without an error message if its reader closes the pipe', () => {
    const { status, stderr, stdout } = spawnSync(
      'sh',
      ['-c', `'${process.execPath}' ${CLI.join(' ')} | head -c 100`],
      { encoding: 'utf8' },
    );
    expect([status, stderr, stdout.length]).toEqual([0, '', 100]);
  });
});
