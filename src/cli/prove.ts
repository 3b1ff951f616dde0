// sluice prove -f FILE --slice SQL --run COMMAND: runs the pipeline on a small part of the real
// data. Then it compares the pipeline's output with the batch. It leaves nothing behind in the
// legacy database.
import { userInfo } from 'node:os';
import {
  CancelledFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { loadConfig } from '../wiring/config.js';
import { queueOfZone, zoneOf } from '../domain/migration/task-queues.js';
import { leftOutOf } from '../domain/evidence/left-out.js';
import { Problem } from '../domain/failure.js';
import type { MigrationSpec } from '../domain/migration/spec.js';
import { DURATION_PATTERN, durationMs } from '../domain/values/duration.js';
import {
  proofId,
  type PipelineEnvironment,
  type ProofInput,
  type ProofResult,
  type ProofState,
  type ShownProof,
} from '../domain/evidence/slice-proof.js';
import { renderProofHtml, renderProofMarkdown, renderProofText } from '../report/proof-page.js';
import { withClient, withLedger } from './support/migration-source.js';
import { CliError, EXIT, say, write } from './support/output.js';
import { problemOf } from './support/failed-workflow.js';
import { startPipeline, stopPipeline, type Pipeline } from './support/proof-pipeline.js';
import { readSpec } from './support/spec-file.js';
import { within } from './support/ask-run-state.js';
import { whileServed } from './support/ask-while-served.js';

export interface ProveOptions {
  readonly file: string;
  readonly slice: string;
  readonly stage?: string;
  readonly run?: string;
  readonly timeout: string;
  readonly runs: string;
  readonly by?: string;
  readonly output: 'text' | 'json' | 'md' | 'html';
}

const POLL_MS = 250;
const DIFFERENCES_SHOWN = 50;

export async function prove(options: ProveOptions): Promise<number> {
  const refuse = (why: string): never => {
    throw new CliError(EXIT.usage, 'usage', why);
  };
  const { timeout, runs } = options;
  if (!DURATION_PATTERN.test(timeout)) refuse(`--timeout ${timeout} is not a duration like 10m`);
  if (!/^\d{1,3}$/.test(runs)) refuse(`--runs ${runs} is not a number of runs like 7`);
  const spec = readSpec(options.file, 'proof');
  const input: Input = {
    spec,
    slice: options.slice,
    stage: options.stage ?? null,
    runs: Number(runs),
    by: options.by ?? userInfo().username,
    patienceMs: durationMs(timeout),
  };
  const { result, isInterrupted } = await withClient(async (client) =>
    follow(client, await startNext(client, input), options.run),
  );
  const shown = { ...result, leftOut: leftOutOf(spec) };
  write(render({ ...shown, differences: await differencesOf(result.id) }, options.output));
  if (isInterrupted) return EXIT.interrupted;
  return result.verdict === 'passed' && result.leftovers.length === 0 ? EXIT.ok : EXIT.failed;
}

async function differencesOf(id: string): Promise<ProofResult['differences']> {
  return withLedger(async (ledger) => {
    const [row] = await ledger.query<{ differences: ProofResult['differences'] | null }>(
      `SELECT differences FROM sluice.proof WHERE id = $1`,
      [id],
    );
    return (row?.differences ?? []).slice(0, DIFFERENCES_SHOWN);
  });
}

/** Reserves a number in the ledger, so that several proofs of one spec can run at the same time. */
async function claimNumber(name: string): Promise<string> {
  return withLedger(
    async (ledger) => {
      for (;;) {
        const [row] = await ledger.query<{ next: number }>(
          `SELECT coalesce(max(number), 0) + 1 AS next FROM sluice.proof WHERE name = $1`,
          [name],
        );
        const id = proofId(name, row!.next);
        const claimed = await ledger.query(
          `INSERT INTO sluice.proof (id, name, number) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`,
          [id, name, row!.next],
        );
        if (claimed.length > 0) return id;
      }
    },
    { writes: true },
  );
}

type Input = ProofInput & { readonly spec: MigrationSpec };

/**
 * Starts the proof with the next number. `claim` reserves the id of that number in the ledger. If
 * the ledger was replaced, Temporal may already know this id from an earlier proof. The number is
 * then skipped.
 */
export async function startNext(
  client: Client,
  input: Input,
  claim: (name: string) => Promise<string> = claimNumber,
): Promise<WorkflowHandle> {
  for (;;) {
    const id = await claim(input.spec.metadata.name);
    try {
      return await start(client, id, input);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
}

async function start(client: Client, id: string, input: Input): Promise<WorkflowHandle> {
  const handle = await client.workflow.start('proveOnSlice', {
    workflowId: id,
    taskQueue: queueOfZone(loadConfig().taskQueue, zoneOf(input.spec.metadata.labels)),
    args: [input],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    memo: { starter: input.by },
    staticSummary: `Proof on ${input.slice}`.slice(0, 120),
  });
  say(`${id} started`);
  return handle;
}

/**
 * Follows the proof, starts the pipeline when the proof asks for it, and stops the pipeline after
 * the comparison. Ctrl-C cancels the proof, which then cleans up.
 */
async function follow(
  client: Client,
  handle: WorkflowHandle,
  command: string | undefined,
): Promise<{ result: ProofResult; isInterrupted: boolean }> {
  let pipeline: Pipeline | undefined;
  let last: ProofState | undefined;
  let ended = false;
  let isInterrupted = false;
  const ask = (): Promise<ProofResult> => handle.result() as Promise<ProofResult>;
  const result = whileServed(client, handle.workflowId, 'The proof', ask).finally(
    () => (ended = true),
  );
  result.catch(() => undefined); // awaited below
  const interrupt = (): void => {
    isInterrupted = true;
    void handle.cancel().catch(() => undefined);
  };
  process.removeAllListeners('SIGINT').on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    while (!ended) {
      const view = await within(client, () =>
        handle.query<{ state: ProofState; environment: PipelineEnvironment | null }>('proof'),
      ).catch(() => null);
      if (view && view.state !== last) {
        last = view.state;
        say(`  ${saidOf(last, command !== undefined)}`);
        if (last === 'pipeline' && view.environment)
          pipeline = startPipeline(handle, command, view.environment);
        if (last === 'stop-pipeline')
          await (pipeline ? stopPipeline(handle, pipeline) : handle.signal('pipelineStopped', {}));
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return { result: await result, isInterrupted };
  } catch (error) {
    if (error instanceof CliError) {
      // otherwise, a worker that starts later would run a proof that no command follows
      await handle.cancel().catch(() => undefined);
      throw error;
    }
    throw error instanceof WorkflowFailedError ? whyFailed(error) : error;
  } finally {
    await stopPipeline(handle, pipeline);
  }
}

/** Returns the error of a proof that has no result. */
export function whyFailed(error: WorkflowFailedError): Error {
  if (error.cause instanceof CancelledFailure)
    return new CliError(EXIT.interrupted, 'interrupted', 'the proof was cancelled');
  const problem = problemOf(error);
  if (!problem) return error;
  const { code, message, remedy } = problem;
  // the other remedies tell a person to retry a migration, but a proof cannot be retried
  const again = 'correct what the message names, then run sluice prove again';
  return new Problem(code, message, code === 'spec-invalid' ? remedy : again);
}

const SAID: Readonly<Record<ProofState, string>> = {
  open: 'checking the spec and the slice',
  replay: 'writing the rows of the slice to topics, from one read-only snapshot',
  pipeline: 'waiting for the pipeline to read the slice',
  compare: 'comparing every key',
  'stop-pipeline': 'stopping the pipeline',
  'clean-up': 'removing the topics of the proof',
  done: 'done',
};

/** Says what a proof does. Only a person can stop a pipeline that this command did not start. */
export const saidOf = (state: ProofState, isOurPipeline: boolean): string =>
  state !== 'stop-pipeline' || isOurPipeline
    ? SAID[state]
    : 'stop your pipeline now: after two minutes, its topics are removed in any case';

function render(result: ShownProof, output: ProveOptions['output']): string {
  if (output === 'json') return JSON.stringify(result, null, 2);
  if (output === 'html') return renderProofHtml(result);
  return output === 'md' ? renderProofMarkdown(result) : renderProofText(result);
}
