// Creates and removes the jobs of a pipeline that Sluice deploys. A job is a Flink job, or a stream
// or table of ksqlDB. Sluice finds each job by its name, even after a restart of the host.
import { Problem } from '../../domain/failure.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { pollUntil } from '../runtime/poll-until.js';
import type { PipelineHost } from '../pipelines/host.js';
import { allowStatements, hostOf } from '../pipelines/index.js';
import { askEach, type Asking, type OwnedKind } from './owned-kind.js';

const RUNNING_MS = 60_000;
const STEADY_POLLS = 3; // a job may be RUNNING at one poll and RESTARTING at the next

const host = ({ plan }: Asking): PipelineHost => hostOf(plan);

const exists = (asking: Asking, { name }: OwnedObject): Promise<boolean> =>
  host(asking).isThere(name);

export const job: OwnedKind = {
  exists,
  create: async (site, { name }) => {
    allowStatements(site);
    await host(site).create(name);
  },
  remove: (site, { name }) => host(site).remove(name),
  healthy: async (site, { name }) => {
    const state = await host(site).state(name);
    return 'running' in state ? null : `is not running: ${state.not}`;
  },
  nameCheck: { check: 'pipeline.names-free', taken: askEach(exists) },
};

/**
 * Waits until the job has been running for several polls in a row. Throws Problem `pipeline-failed`
 * if the job fails, or if the wait takes too long.
 */
export async function untilSteady(asking: Asking, { name }: OwnedObject): Promise<void> {
  let seen = 0;
  let last = 'it does not exist';
  const steady = await pollUntil(Date.now() + RUNNING_MS, 300, async () => {
    const state = await host(asking).state(name);
    last = 'not' in state ? state.not : 'running';
    if (last === 'FAILED')
      throw new Problem('pipeline-failed', `job ${name} was accepted, and then failed`);
    seen = 'running' in state ? seen + 1 : 0;
    return seen >= STEADY_POLLS ? true : null;
  });
  if (!steady) throw new Problem('pipeline-failed', `${name} is not running steadily: ${last}`);
}
