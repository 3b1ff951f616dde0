// Says where a worker finds the workflow code, and how long this code may compute without a pause.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorkerOptions } from '@temporalio/worker';
import type { Config } from './config.js';

/**
 * The longest computation of one workflow task. The SDK's default is five seconds. At this limit,
 * Node does not fail the task: it aborts the whole process, with every activity of the worker. A
 * slow machine, or a run that gets thousands of signals at once, must not cause that. The SDK takes
 * this option, but its types do not list it.
 */
export const LONGEST_COMPUTATION = { isolateExecutionTimeout: '60s' } as const;

/**
 * Returns the prebuilt workflow bundle if it exists and the worker runs from `dist`. Otherwise,
 * returns the sources. A bundle contains the converter of failures, so a worker with a codec uses a
 * different bundle.
 */
export function workflowCode({
  codec,
}: Pick<Config, 'codec'>): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const file = codec ? 'workflow-bundle-encrypting.js' : 'workflow-bundle.js';
  const bundle = fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));
  if (existsSync(bundle) && import.meta.url.includes('/dist/'))
    return { ...LONGEST_COMPUTATION, workflowBundle: { codePath: bundle } };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const sources = new URL(`../workflows/index.${extension}`, import.meta.url);
  return { ...LONGEST_COMPUTATION, workflowsPath: fileURLToPath(sources) };
}
