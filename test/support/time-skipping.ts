// Temporal's time-skipping test server, started from its jars, with the workflow bundle built once
// per test file.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  DefaultLogger,
  Runtime,
  Worker,
  bundleWorkflowCode,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect } from 'vitest';
import proto from '@temporalio/proto';
import type { Activities } from '../../src/activities/index.js';
import { SEARCH_ATTRIBUTES } from '../../src/domain/migration/search-attribute-names.js';
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import { temporalTestServerLibs } from '../../stack/fetch.js';
import { cacheDir } from '../../stack/paths.js';
import { sleepUntil } from './builders.js';

let installed = false;
let bundle: WorkflowBundleWithSourceMap | undefined;

export interface Bench {
  readonly env: TestWorkflowEnvironment;
  readonly bundle: WorkflowBundleWithSourceMap;
}

/**
 * A server of its own: the test server skips time for all of its workflows at once, so tests must
 * not share one.
 */
export async function openBench(): Promise<Bench> {
  if (!installed)
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    });
  installed = true;
  const env = await startServer();
  const { IndexedValueType } = proto.temporal.api.enums.v1;
  const types = {
    Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
    Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  };
  const searchAttributes = Object.fromEntries(
    Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, types[type]]),
  );
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes,
  });
  bundle ??= await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  return { env, bundle };
}

/**
 * Starts the server and waits for it, because the SDK gives its own server only five seconds, which
 * a JVM on a busy machine exceeds. The process that the SDK starts instead only sleeps, and the SDK
 * finds the server at the port.
 */
async function startServer(): Promise<TestWorkflowEnvironment> {
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
  await sleepUntil('the time-skipping server listens', () => isListening(port), 180_000);
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { port, executable: { type: 'existing-path', path: standIn() } },
  });
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

/** The process that the SDK starts and kills instead of the server. */
function standIn(): string {
  const dir = join(cacheDir(), 'bin');
  mkdirSync(dir, { recursive: true });
  const script = join(dir, `stand-in-${process.pid}.sh`);
  writeFileSync(script, '#!/bin/sh\nexec sleep 3600\n');
  chmodSync(script, 0o755);
  return script;
}

let runs = 0;

export interface Play {
  readonly handle: WorkflowHandle;
  readonly env: TestWorkflowEnvironment;
  readonly status: () => Promise<Status>;
}

/**
 * Starts a migration with these activities and plays `scene` while a worker serves it; `beforehand`
 * runs before any worker does.
 */
export async function play<T>(
  { env, bundle }: Bench,
  activities: Activities,
  input: { metadata: { name: string } },
  scene: (play: Play) => Promise<T>,
  beforehand: (handle: WorkflowHandle) => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  runs += 1;
  const taskQueue = `migrations-${process.pid}-${runs}`;
  const handle = await env.client.workflow.start('migrateToStreaming', {
    taskQueue,
    workflowId: `migration-${input.metadata.name}`,
    args: [input],
  });
  await beforehand(handle);
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: bundle,
    activities,
  });
  const data = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: `${taskQueue}-data`,
    activities,
  });
  return worker.runUntil(() =>
    data.runUntil(async () => {
      const shown = await scene({ handle, env, status: () => handle.query<Status>('status') });
      if (process.env['RECORD_HISTORIES']) await recordHistory(handle);
      return shown;
    }),
  );
}

/**
 * Lets workflow time pass until the status is as wanted, and no activity is at work. The Java
 * server loses an activity that is canceled at the very moment in which it completes, and the run
 * then waits for it forever.
 */
export async function skipUntil(
  scene: Play,
  wanted: (s: Awaited<ReturnType<Play['status']>>) => boolean,
): Promise<void> {
  const { env, status } = scene;
  for (let step = 0; step < 200; step += 1) {
    if (wanted(await status())) return atRest(scene);
    await env.sleep('10m');
  }
  throw new Error(`not reached: ${JSON.stringify(await status())}`);
}

/**
 * Waits until the run has nothing under way. A scene whose activities never end gets what was
 * looked at last.
 */
async function atRest({ handle }: Play): Promise<void> {
  for (let look = 0; look < 40; look += 1) {
    const { raw } = await handle.describe();
    if ((raw.pendingActivities ?? []).length === 0 && !raw.pendingWorkflowTask) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * `RECORD_HISTORIES=1` writes the run's history for the replay test, named by the test's situation.
 * From released code only, never from a branch under test.
 */
async function recordHistory(handle: WorkflowHandle): Promise<void> {
  const situation = (expect.getState().currentTestName ?? 'unnamed')
    .replace(/^a migration > /, '')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .slice(0, 60);
  const history = historyToJSON(await handle.fetchHistory()) as string | object;
  const text = typeof history === 'string' ? history : JSON.stringify(history);
  const anonymous = text.replaceAll(/\d+@[\w.-]+/g, 'test').replaceAll(process.cwd(), '');
  writeFileSync(`test/histories/${situation}.json`, anonymous);
}
