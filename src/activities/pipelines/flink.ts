// Deploys Flink SQL through the SQL Gateway: one job for each statement that starts a job.
import {
  FlinkError,
  FlinkGateway,
  type FlinkJob,
  type FlinkSession,
} from '../../clients/http/flink-gateway.js';
import { flinkPlan, type FlinkPlan } from '../../connectors/flink-sql.js';
import { Problem } from '../../domain/failure.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { pollUntil } from '../runtime/poll-until.js';
import type { PipelineHost } from './host.js';

const STOPPED_MS = 60_000;
/** A job in one of these states exists, even if it is not healthy. */
const ALIVE = new Set([
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'RESTARTING',
  'FAILING',
  'CANCELLING',
  'SUSPENDED',
  'RECONCILING',
]);

export class FlinkHost implements PipelineHost {
  readonly url: string;
  readonly names: readonly string[];
  readonly #gateway: FlinkGateway;
  readonly #plan: FlinkPlan;

  constructor(plan: ResolvedPlan) {
    this.url = plan.host.url!;
    this.#gateway = new FlinkGateway(this.url);
    this.#plan = flinkPlan(plan, plan.generation);
    this.names = this.#plan.jobs.map((job) => job.name);
  }

  product(): Promise<string> {
    return this.#gateway.info();
  }

  async judge(): Promise<string | { detail: string; remedy: string }> {
    const { setup, jobs } = this.#plan;
    return this.#gateway.session(async (session) => {
      for (const sql of [...setup, ...jobs.map((job) => explained(job.sql))]) {
        try {
          await session.run(sql);
        } catch (error) {
          if (!(error instanceof FlinkError)) throw error;
          return {
            detail: `"${sql.replaceAll(/\s+/g, ' ').slice(0, 80)}": ${error.message}`,
            remedy: 'correct the statement, because Flink itself refuses it',
          };
        }
      }
      return `Flink itself accepts ${setup.length} definitions and ${jobs.length} job(s)`;
    });
  }

  async isThere(name: string): Promise<boolean> {
    return this.#gateway.session(async (session) => (await alive(session, name)).length > 0);
  }

  async state(name: string): Promise<{ running: string } | { not: string }> {
    const jobs = await this.#gateway.session((session) => session.jobs());
    const running = jobs
      .filter((job) => job.name === name && job.status === 'RUNNING')
      .map((job) => job.id);
    return running.length > 0
      ? { running: running.join() }
      : { not: jobs.findLast((job) => job.name === name)?.status ?? 'the job does not exist' };
  }

  /**
   * Starts a job. First sends all definitions, because Flink forgets them at the end of each
   * session.
   */
  async create(name: string): Promise<void> {
    const job = this.#plan.jobs.find((j) => j.name === name)!;
    await this.#gateway.session(async (session) => {
      for (const statement of this.#plan.setup) await submit(session, statement);
      await session.run(`SET 'pipeline.name' = '${name}'`);
      await submit(session, job.sql);
    });
  }

  async remove(name: string): Promise<void> {
    await this.#gateway.session(async (session) => {
      // the job may have ended by itself
      for (const job of await alive(session, name)) await session.stop(job).catch(() => undefined);
      await pollUntil(Date.now() + STOPPED_MS, 200, async () =>
        (await alive(session, name)).length > 0 ? null : true,
      );
    });
  }

  groups(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}

async function alive(session: FlinkSession, name: string): Promise<FlinkJob[]> {
  return (await session.jobs()).filter((job) => job.name === name && ALIVE.has(job.status));
}

async function submit(session: FlinkSession, statement: string): Promise<void> {
  try {
    await session.run(statement);
  } catch (error) {
    if (!(error instanceof FlinkError)) throw error;
    // after a timeout, the job may still start
    const isRefusal = !/time(d )?out/i.test(error.message);
    throw new Problem(
      isRefusal ? 'pipeline-failed' : 'unreachable',
      `Flink ${isRefusal ? 'refused' : 'did not answer in time to'} "${statement.replaceAll(/\s+/g, ' ').slice(0, 80)}": ${error.message}`,
    );
  }
}

/** Turns a statement into EXPLAIN, so that Flink plans it without running it. */
const explained = (sql: string): string =>
  /^insert/i.test(sql)
    ? `EXPLAIN ${sql}`
    : sql.replace(/^(execute|begin)\s+statement\s+set/i, 'EXPLAIN STATEMENT SET');
