// Runs the pipeline of a proof (`sluice prove`) as a command on this machine.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { PipelineEnvironment } from '../../domain/evidence/slice-proof.js';
import { environmentWith } from '../../wiring/config.js';
import { say } from './output.js';
import { describeEnd } from './pipeline-end.js';

const STOP_MS = 20_000;

/** Quotes a text as one word for a shell. A spec may contain characters that a shell interprets. */
const quoteShell = (text: string): string =>
  /^[A-Za-z0-9_.,:/@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

export interface Pipeline {
  readonly child: ChildProcess;
  readonly gone: Promise<unknown>;
  readonly stateDir: string;
  stopping: boolean;
}

/**
 * Starts the command that runs the pipeline, and reports its end to the proof. Without a command,
 * prints the environment with which a person starts the pipeline.
 */
export function startPipeline(
  handle: WorkflowHandle,
  command: string | undefined,
  environment: PipelineEnvironment,
): Pipeline | undefined {
  if (command === undefined) {
    say(
      '  start your pipeline with these environment variables; you will be asked to stop it later:',
    );
    for (const [name, value] of Object.entries(environment))
      say(`    export ${name}=${quoteShell(value)}`);
    return undefined;
  }
  const stateDir = mkdtempSync(join(tmpdir(), 'sluice-proof-'));
  const child = spawn('sh', ['-c', command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: environmentWith({ ...environment, STATE_DIR: stateDir }),
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
  const pipeline: Pipeline = {
    child,
    stateDir,
    stopping: false,
    gone: new Promise((resolve) => child.once('exit', resolve)),
  };
  child.once('exit', (code, signal) => {
    if (pipeline.stopping) return;
    const failed = describeEnd(code ?? signal, said);
    void handle.signal('pipelineStopped', { failed }).catch(() => undefined);
  });
  return pipeline;
}

/**
 * Stops the command's whole process group with SIGTERM. If the command still runs 20 s later, sends
 * SIGKILL. Afterwards, removes the state directory, and tells the proof that the pipeline stopped.
 */
export async function stopPipeline(
  handle: WorkflowHandle,
  pipeline: Pipeline | undefined,
): Promise<void> {
  if (!pipeline || pipeline.stopping) return;
  pipeline.stopping = true;
  const { child, gone, stateDir } = pipeline;
  const kill = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      // the process has already ended
    }
  };
  kill('SIGTERM');
  const killer = setTimeout(() => kill('SIGKILL'), STOP_MS);
  if (child.exitCode === null && child.signalCode === null) await gone;
  clearTimeout(killer);
  try {
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  } catch {
    // A child of the command may still write to the state directory. The proof does not read it.
  }
  // the proof may already have ended
  await handle.signal('pipelineStopped', {}).catch(() => undefined);
}
