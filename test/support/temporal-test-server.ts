// Starts Temporal's test server, which skips time.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { ensureSearchAttributes } from '../../src/wiring/register-search-attributes.js';
import { temporalTestServerLibs } from '../../stack/fetch.js';
import { sleepUntil } from './builders.js';
import { freePort } from './free-port.js';

let isQuiet = false;

/** Lets the SDK log only errors. A process can do this once, before its first connection. */
export function quietRuntime(): void {
  if (!isQuiet)
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    });
  isQuiet = true;
}

/**
 * The server of this worker of vitest. The worker's test files run one after the other, and share
 * the server.
 */
let server: { readonly port: number; readonly end: () => void } | undefined;

/** Ends the server, so that the next connection starts a new one. */
export function endTestServer(): void {
  server?.end();
  server = undefined;
}

/**
 * Connects to the server, and starts it if there is none. The SDK would wait only five seconds for
 * a server that it starts itself, and a JVM on a busy machine needs longer. But the SDK insists on
 * starting a process with the port as its argument. So this function lets the SDK start `sleep`.
 * The SDK then finds the real server at the port.
 */
export async function connectToTestServer(): Promise<TestWorkflowEnvironment> {
  server ??= await startServer();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { port: server.port, executable: { type: 'existing-path', path: '/bin/sleep' } },
  });
  const operator = env.connection.operatorService;
  const listsNone = Object.create(operator, {
    listSearchAttributes: { value: () => Promise.resolve({ customAttributes: {} }) },
  }) as typeof operator; // the Java server cannot list attributes
  await ensureSearchAttributes(listsNone, 'default', () => undefined);
  return env;
}

/**
 * Runs the command in its arguments, and kills it when the standard input closes. This input also
 * closes if the process that runs the tests dies.
 */
const UNTIL_INPUT_CLOSES = '"$@" & cat; kill -9 $!';

/**
 * Starts the server and waits until it listens. The server keeps the workflows of many test files
 * in memory, so it gets 1 GB.
 */
async function startServer(): Promise<{ port: number; end: () => void }> {
  const libs = await temporalTestServerLibs((line) => console.error(line));
  const port = await freePort();
  const jvm = [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    '-Xmx1g',
    '-cp',
    `${libs}/*`,
  ];
  const command = ['java', ...jvm, 'io.temporal.testserver.TestServer', String(port)];
  const started = spawn('sh', ['-c', UNTIL_INPUT_CLOSES, 'sh', ...command], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  started.unref();
  await sleepUntil('the time-skipping server listens', () => isListening(port));
  return { port, end: () => void started.stdin.end() };
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
