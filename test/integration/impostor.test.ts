// Anyone may write a spec. Sluice must not send a secret to a host only because a spec names that
// host. The host of this test is an impostor: a server that records what it receives.
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawn } from 'node:child_process';
import { specFile, testPostgres } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const CLEARTEXT_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
let impostor: Server;
let heard = '';

/**
 * Starts a server that refuses TLS, asks for the password in clear text, and records everything.
 */
beforeAll(async () => {
  impostor = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard += data.toString('latin1');
      const isTlsRequest = data.length === 8 && data.readInt32BE(4) === 80877103;
      socket.write(isTlsRequest ? 'N' : CLEARTEXT_PASSWORD);
    });
  });
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void impostor.close());

/** Runs doctor. `spawnSync` would block this process, in which the impostor must answer. */
const doctor = (file: string): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['dist/cli/main.js', 'doctor', '-f', file, '-o', 'json'],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('close', () => resolve(said));
  });

describe('an impostor in place of the source', () => {
  const outside = join(temporaryFolder('sluice-impostor-'), 'file');
  writeFileSync(outside, 'password=content-of-this-machine');

  it.each<[string, object, string]>([
    ['the ledger’s URL', { passwordFrom: { env: 'SLUICE_LEDGER_URL' } }, 'sluice_ledger'],
    [
      'a file of this machine',
      { passwordFrom: { file: `${outside}:password` } },
      'content-of-this-machine',
    ],
    [
      'the environment',
      { passwordFrom: { file: '/proc/self/environ:PGPASSWORD' } },
      process.env['PGPASSWORD']!,
    ],
    [
      "the worker's password if the spec names none",
      { passwordFrom: undefined },
      process.env['PGPASSWORD']!,
    ],
  ])('gets no secret that is not meant for it: %s', async (_what, more, secret) => {
    heard = '';
    const { port } = impostor.address() as { port: number };
    // Nothing listens on port 1, so doctor does not wait long for Kafka Connect.
    const connector = { type: 'debezium-postgres', url: 'http://127.0.0.1:1' };
    const postgres = { ...testPostgres('postgres'), host: '127.0.0.1', port, ...more };
    const said = await doctor(
      specFile('impostor', 'postgres', ['public.t'], {
        source: { postgres, tables: ['public.t'] },
        connector,
      }),
    );
    const { checks } = JSON.parse(said) as {
      checks: { name: string; status: string; detail: string }[];
    };
    expect(checks.find((c) => c.name === 'source.reachable')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(/SLUICE_SECRETS|names none/) as string,
    });
    expect(heard).not.toContain(secret);
  });
});
