// Read-only checks of a pipeline that Sluice deploys: its gateway answers, its statements parse, its job names are free.
import { FlinkError, FlinkGateway } from '../../clients/flink-gateway.js';
import { flinkPlan } from '../../connectors/flink-sql.js';
import type { Check } from '../../domain/check.js';
import { engineGateway, type MigrationSpec } from '../../domain/spec.js';
import { classify } from '../failure.js';
import { alive } from '../pipeline.js';
import { attempt, failed, passed } from './result.js';
import type { IsOurs } from './streaming.js';

export async function checkPipeline(spec: MigrationSpec, generation: number, isOurs: IsOurs): Promise<Check[]> {
  const { pipeline } = spec.spec;
  if (pipeline?.type !== 'flink-sql') return [];
  const gateway = new FlinkGateway(pipeline.gateway!);
  let product: string;
  try {
    product = await gateway.info();
  } catch (error) {
    return [failed('pipeline.reachable', pipeline.gateway!, classify(error).message, 'check spec.pipeline.gateway and the SQL Gateway')];
  }
  const plan = flinkPlan(spec, generation);
  return [
    passed('pipeline.reachable', pipeline.gateway!, product),
    await attempt('pipeline.statements', () =>
      gateway.session(async (session) => {
        for (const sql of [...plan.setup, ...plan.jobs.map((job) => explained(job.sql))]) {
          try {
            await session.run(sql);
          } catch (error) {
            if (!(error instanceof FlinkError)) throw error;
            return { detail: `"${sql.replaceAll(/\s+/g, ' ').slice(0, 80)}": ${error.message}`, remedy: 'mend the statement: Flink itself refuses it' };
          }
        }
        return `${plan.setup.length} definitions and ${plan.jobs.length} job(s), planned by Flink itself`;
      }),
    ),
    await attempt('pipeline.names-free', () =>
      gateway.session(async (session) => {
        for (const { name } of plan.jobs)
          if ((await alive(session, name)).length > 0 && !(await isOurs('job', name, pipeline.gateway!)))
            return { detail: `a job ${name} runs that is not ours`, remedy: 'stop it, or choose another metadata.name' };
        return 'job names are free';
      }),
    ),
  ];
}

/** The SQL Gateway that is to join the tables with their topics, where the spec asks for it. */
export async function checkEngine(spec: MigrationSpec): Promise<Check[]> {
  const url = engineGateway(spec.spec);
  if (url === undefined) return [];
  return [
    await attempt('validation.engine', async () => {
      const gateway = new FlinkGateway(url);
      const rows = await gateway.session((session) => session.run('SELECT JSON_QUERY(\'{"after":{"a":1.0}}\', \'$.after\')'));
      return rows.length === 1
        ? `${await gateway.info()} ran a statement`
        : { detail: `${url} answered ${rows.length} rows ≠ 1`, remedy: 'look at the gateway and its cluster' };
    }),
  ];
}

/** Planned, not run. */
const explained = (sql: string): string =>
  /^insert/i.test(sql) ? `EXPLAIN ${sql}` : sql.replace(/^(execute|begin)\s+statement\s+set/i, 'EXPLAIN STATEMENT SET');
