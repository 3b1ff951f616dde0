// Pipelines that Sluice deploys itself: Flink SQL, through the SQL Gateway. Found again by the job's name after any restart. Undo beside do.
import { FlinkError, FlinkGateway, type FlinkJob, type FlinkSession } from '../clients/flink-gateway.js';
import { flinkPlan } from '../connectors/flink-sql.js';
import { Problem } from '../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../domain/ledger.js';
import type { Deps } from './deps.js';
import { ensureOwned, removeOwned } from './owned.js';
import { pollUntil } from './patience.js';

const RUNNING_MS = 60_000;
const STOPPED_MS = 60_000;
const STEADY_POLLS = 3; // an accepted job may still loop between RUNNING and RESTARTING
/** A job in one of these states is there, whatever its health. */
const ALIVE = new Set(['INITIALIZING', 'CREATED', 'RUNNING', 'RESTARTING', 'FAILING', 'CANCELLING', 'SUSPENDED', 'RECONCILING']);

export function createPipelineActivities({ ledger }: Deps) {
  return {
    /** Submits what is not running yet and waits until every job runs steadily. Idempotent: a job of that name is found, never started twice. */
    async ensurePipeline(ref: MigrationRef): Promise<void> {
      const plan = flinkPlan(ref.spec, ref.generation);
      const gateway = gatewayOf(ref);
      for (const group of ref.spec.spec.pipeline!.groups) await claim(ref, { kind: 'group', name: group, where: ref.spec.spec.kafka.brokers.join(',') });
      await gateway.session(async (session) => {
        let isSetUp = false;
        for (const { name, sql } of plan.jobs) {
          await ensureOwned(ledger, ref, jobObject(ref, name), {
            exists: async () => (await alive(session, name)).length > 0,
            create: async () => {
              if (!isSetUp) for (const statement of plan.setup) await submit(session, statement);
              isSetUp = true;
              await session.run(`SET 'pipeline.name' = '${name}'`);
              await submit(session, sql);
            },
          });
        }
        for (const { name } of plan.jobs) await untilSteady(session, name);
      });
    },

    /** Stops the job of that name and waits until it is gone. */
    async removeJob(ref: MigrationRef, object: OwnedObject): Promise<void> {
      await gatewayOf(ref).session(async (session) => {
        const exists = async (): Promise<boolean> => (await alive(session, object.name)).length > 0;
        await removeOwned(ledger, ref, object, exists, async () => {
          for (const job of await alive(session, object.name)) await session.stop(job).catch(() => undefined); // it may end by itself meanwhile
          await pollUntil(Date.now() + STOPPED_MS, 200, async () => ((await exists()) ? null : true));
        });
      });
    },
  };

  async function claim(ref: MigrationRef, object: OwnedObject): Promise<void> {
    const state = await ledger.objectState(ref.name, object);
    if (state !== 'registered' && state !== 'created') await ledger.setObjectState(ref, object, 'registered');
  }
}

export const gatewayOf = ({ spec }: Pick<MigrationRef, 'spec'>): FlinkGateway => new FlinkGateway(spec.spec.pipeline!.gateway!);

export const jobObject = ({ spec }: Pick<MigrationRef, 'spec'>, name: string): OwnedObject => ({ kind: 'job', name, where: spec.spec.pipeline!.gateway! });

export async function alive(session: FlinkSession, name: string): Promise<FlinkJob[]> {
  return (await session.jobs()).filter((job) => job.name === name && ALIVE.has(job.status));
}

async function submit(session: FlinkSession, statement: string): Promise<void> {
  try {
    await session.run(statement);
  } catch (error) {
    if (!(error instanceof FlinkError)) throw error;
    throw new Problem('pipeline-failed', `Flink refused "${statement.replaceAll(/\s+/g, ' ').slice(0, 80)}": ${error.message}`);
  }
}

async function untilSteady(session: FlinkSession, name: string): Promise<void> {
  let seen = 0;
  let last = 'not there';
  const steady = await pollUntil(Date.now() + RUNNING_MS, 300, async () => {
    const job = (await session.jobs()).findLast((j) => j.name === name);
    last = job?.status ?? 'not there';
    if (last === 'FAILED') throw new Problem('pipeline-failed', `job ${name} was accepted and FAILED`);
    seen = last === 'RUNNING' ? seen + 1 : 0;
    return seen >= STEADY_POLLS ? true : null;
  });
  if (!steady) throw new Problem('pipeline-failed', `job ${name} does not run steadily: ${last}`);
}
