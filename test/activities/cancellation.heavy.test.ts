// A cancelled activity makes no more changes, because the rollback that follows would not find
// them.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { ensureOwned } from '../../src/activities/ownership/owned.js';
import { stopIfCancelled } from '../../src/activities/runtime/poll-until.js';
import { ConnectRest } from '../../src/clients/http/connect-rest.js';
import type { Ledger } from '../../src/clients/ledger/ledger.js';
import { aRef } from '../support/builders.js';

let server: Server | undefined;
afterEach(() => server?.close());

describe('a cancelled activity', () => {
  it('claims and creates nothing', async () => {
    const env = new MockActivityEnvironment();
    const states: string[] = [];
    const ledger = {
      objectState: () => Promise.resolve(states.at(-1) ?? null),
      setObjectState: (_ref: unknown, _object: unknown, state: string) => {
        states.push(state);
        return Promise.resolve();
      },
    } as unknown as Ledger;
    const making = env.run(() =>
      ensureOwned(
        ledger,
        aRef(),
        { kind: 'topic', name: 't', where: 'kafka' },
        {
          exists: () => {
            env.cancel('CANCELLED');
            return Promise.resolve(false);
          },
          create: () => Promise.reject(new Error('must not be created')),
        },
      ),
    );
    await expect(making).rejects.toThrow(/cancelled/i);
    expect(states).toEqual([]);
  });

  it('configures no connector if a rebalance delayed the request until after the cancellation', async () => {
    const env = new MockActivityEnvironment();
    let requests = 0;
    server = createServer((_request, response) => {
      requests += 1;
      env.cancel('CANCELLED');
      response.writeHead(409, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: 'Cannot complete request: rebalance' }));
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const rest = new ConnectRest(`http://127.0.0.1:${port}`, stopIfCancelled);
    await expect(env.run(() => rest.putConfig('sink', {}))).rejects.toThrow(/cancelled/i);
    expect(requests).toBe(1);
  });
});
