// Starts Temporal's test server, which skips time.
import { spawn } from 'node:child_process';
import { connect, createServer, type AddressInfo } from 'node:net';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { ensureSearchAttributes } from '../../src/register-search-attributes.js';
import { temporalTestServerLibs } from '../../stack/fetch.js';
import { sleepUntil } from './builders.js';

/** Lets the SDK log only errors. A process can do this once, before its first connection. */
export const quietRuntime = (): Runtime =>
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });

/**
 * Starts the server and waits for it. The SDK gives its own server only five seconds, and a JVM on
 * a busy machine needs longer. The SDK insists on starting a process with the port as its argument.
 * Here it starts `sleep`, and then finds the real server at the port.
 */
export async function startTestServer(): Promise<TestWorkflowEnvironment> {
  const libs = await temporalTestServerLibs((line) => console.error(line));
  const port = await freePort();
  const jvm = [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    '-Xmx512m',
    '-cp',
    `${libs}/*`,
  ];
  const server = spawn('java', [...jvm, 'io.temporal.testserver.TestServer', String(port)], {
    stdio: 'ignore',
  });
  await sleepUntil('the time-skipping server listens', () => isListening(port));
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { port, executable: { type: 'existing-path', path: '/bin/sleep' } },
  });
  const operator = env.connection.operatorService;
  const listsNone = Object.create(operator, {
    listSearchAttributes: { value: () => Promise.resolve({ customAttributes: {} }) },
  }) as typeof operator; // the Java server cannot list them
  await ensureSearchAttributes(listsNone, 'default', () => undefined);
  const teardown = env.teardown.bind(env);
  env.teardown = async () => {
    await teardown();
    server.kill('SIGKILL');
  };
  return env;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
