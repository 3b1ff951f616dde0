// Tests with real servers that the leftovers of a terminated workflow are found, block a second
// start, and can be removed.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { accounts, live, objects } from '../support/live.js';
import { get, sluice, specFile, waitFor } from '../support/sluice.js';

const { aDatabase } = live();
const terminate = (name: string) =>
  spawnSync(
    'temporal',
    [
      '--address',
      process.env['TEMPORAL_ADDRESS']!,
      'workflow',
      'terminate',
      '-w',
      `migration-${name}`,
      '--reason',
      'test',
    ],
    {
      encoding: 'utf8',
    },
  );
const leftovers = (...args: string[]) => {
  const { code, stdout } = sluice('doctor', '--leftovers', '-o', 'json', ...args);
  return {
    code,
    of: (name: string) =>
      (
        JSON.parse(stdout) as { leftovers: { migration: string; kind: string; presence: string }[] }
      ).leftovers.filter((o) => o.migration === name),
  };
};

describe('doctor --leftovers', () => {
  it('finds and removes the objects of a terminated workflow; then the migration can start again', async () => {
    const database = await aDatabase(accounts());
    const file = specFile('orphan', database.name, ['public.accounts']);
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('orphan', 'phase=validate');
    expect(leftovers().of('orphan')).toEqual([]);
    expect(terminate('orphan').status).toBe(0);
    const found = leftovers();
    expect(found.code).toBe(1);
    expect(found.of('orphan').map((o) => o.kind)).toEqual(
      expect.arrayContaining(['lease', 'publication', 'topic', 'slot', 'connector']),
    );
    expect(new Set(found.of('orphan').map((o) => o.presence))).toEqual(new Set(['present']));
    expect(sluice('wait', 'orphan', '--for', 'outcome=migrated', '--timeout', '30s')).toMatchObject(
      {
        code: 1,
        stderr: expect.stringContaining('terminated') as string,
      },
    );
    expect(sluice('start', '-f', file)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/slot sluice_orphan.*doctor --leftovers --remove/s) as string,
    });
    expect(sluice('doctor', '--leftovers', '--remove').code).toBe(2);
    const swept = leftovers('--remove', '--yes');
    expect([swept.code, swept.of('orphan')]).toEqual([0, []]);
    expect(await objects(database.client)).toEqual([]);
    expect(await (await fetch(`${process.env['CONNECT_URL']}/connectors`)).json()).not.toContain(
      'orphan',
    );
    expect(await get('orphan')).toMatchObject({ outcome: 'aborted', leftovers: [] });
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('orphan', 'phase=validate');
    expect((await get('orphan')).iteration).toBe(2);
    sluice('cancel', 'orphan', '--yes');
    await waitFor('orphan', 'outcome=aborted');
  });

  it('removes nothing of a migration that runs in a different namespace, and names that namespace', async () => {
    const database = await aDatabase(accounts());
    const file = specFile('elsewhere', database.name, ['public.accounts']);
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('elsewhere', 'phase=validate');
    const here = process.env['TEMPORAL_NAMESPACE'] ?? 'default';
    const namespace = (...args: string[]) =>
      spawnSync(
        'temporal',
        [
          '--address',
          process.env['TEMPORAL_ADDRESS']!,
          'operator',
          'namespace',
          ...args,
          '-n',
          'beside',
        ],
        { encoding: 'utf8' },
      );
    expect(namespace('create').status).toBe(0);
    const asked = spawnSync(
      process.execPath,
      ['dist/cli/main.js', 'doctor', '--leftovers', '--remove', '--yes'],
      {
        encoding: 'utf8',
        env: { ...process.env, TEMPORAL_NAMESPACE: 'beside' },
      },
    );
    namespace('delete', '--yes');
    expect(asked).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`elsewhere belongs to namespace ${here}`) as string,
    });
    expect(await get('elsewhere')).toMatchObject({ outcome: null, leftovers: [] });
    sluice('cancel', 'elsewhere', '--yes');
    await waitFor('elsewhere', 'outcome=aborted');
  });
});
