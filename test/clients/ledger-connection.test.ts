// Tests a ledger that restarts while a worker holds a connection to it. The worker must survive.
// Also tests the errors about a missing database, a refused login, and tables of another version.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LedgerConnection } from '../../src/clients/ledger/ledger-connection.js';

/** Builds a message of the Postgres protocol. */
function message(type: string, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const READY = message('Z', Buffer.from('I'));
const WELCOME: Buffer = Buffer.concat([message('R', Buffer.alloc(4)), READY]);
const NO_COLUMN = Buffer.concat([
  message('E', Buffer.from('SERROR\0C42703\0Mcolumn "status_at" does not exist\0\0')),
  READY,
]);
const EMPTY_ANSWER = Buffer.concat([message('C', Buffer.from('SELECT 0\0')), READY]);

const NO_DATABASE = message(
  'E',
  Buffer.from('SFATAL\0C3D000\0Mdatabase "ledger" does not exist\0\0'),
);

let answer = EMPTY_ANSWER;
let welcome: Buffer = WELCOME;
let server: Server;
let open: Socket[];
let ledger: LedgerConnection;
beforeAll(async () => {
  open = [];
  server = createServer((socket) => {
    open.push(socket);
    let isLoggedIn = false;
    socket.on('error', () => undefined);
    socket.on('data', () => {
      socket.write(isLoggedIn ? answer : welcome);
      isLoggedIn = true;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  ledger = new LedgerConnection(`postgres://me:secret@127.0.0.1:${port}/ledger`);
});
afterAll(async () => {
  await ledger.close();
  for (const socket of open) socket.destroy();
  server.close();
});

/** Ends every connection, as a server that shuts down does. */
const restart = (): void => open.splice(0).forEach((socket) => void socket.destroy());

describe('a worker whose connection to the ledger ends while it uses the connection', () => {
  it.each(['session', 'transaction'] as const)(
    'keeps running, and reaches the ledger again afterwards (%s)',
    async (kind) => {
      const crashes: unknown[] = [];
      const crash = (error: unknown): void => void crashes.push(error);
      process.prependOnceListener('uncaughtException', crash);
      const held = ledger[kind](async (client) => {
        const ended = new Promise((resolve) => client.once('end', resolve));
        restart();
        await ended;
        await client.query('SELECT 1');
      });
      await expect(held).rejects.toThrow();
      expect(crashes).toEqual([]);
      process.off('uncaughtException', crash);
      expect(await ledger.query('SELECT 1')).toEqual([]);
    },
  );
});

describe('the error about a missing database of the ledger', () => {
  afterAll(() => void (welcome = WELCOME));
  it.each([
    ['a query', (missing: LedgerConnection) => missing.query('SELECT 1')],
    ['the tables', (missing: LedgerConnection) => missing.migrate()],
    ['the readiness', (missing: LedgerConnection) => missing.readiness()],
    ['a session outside of the pool', (missing: LedgerConnection) => missing.openSession()],
  ])(
    'says to create the database or to correct the URL, not to start a server: %s',
    async (_what, use) => {
      welcome = NO_DATABASE;
      const { port } = server.address() as AddressInfo;
      const missing = new LedgerConnection(`postgres://me:secret@127.0.0.1:${port}/ledger`);
      await expect(use(missing)).rejects.toMatchObject({
        code: 'unreachable',
        message: `the ledger at 127.0.0.1:${port}/ledger cannot be opened: database "ledger" does not exist`,
        remedy: expect.stringMatching(
          /^create the database, .*correct .* SLUICE_LEDGER_URL/,
        ) as string,
      });
      await missing.close();
    },
  );
});

it('the error about a refused login at the ledger says to correct the login, not to grant a right', async () => {
  welcome = message('E', Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed\0\0'));
  const { port } = server.address() as AddressInfo;
  const refused = new LedgerConnection(`postgres://me:secret@127.0.0.1:${port}/ledger`);
  await expect(refused.query('SELECT 1')).rejects.toMatchObject({
    code: 'permission-denied',
    message: `the ledger at 127.0.0.1:${port}/ledger refuses the login: password authentication failed`,
    remedy: expect.stringContaining('the password in SLUICE_LEDGER_URL') as string,
  });
  welcome = WELCOME;
  await refused.close();
});

it('the error about a missing column of the ledger says that another version made the tables', async () => {
  answer = NO_COLUMN;
  await expect(ledger.query('SELECT status_at FROM sluice.migration')).rejects.toMatchObject({
    message: expect.stringMatching(/made by another version.*"status_at" does not exist/) as string,
    remedy: expect.stringContaining('start a worker of this version') as string,
  });
  answer = EMPTY_ANSWER;
});
