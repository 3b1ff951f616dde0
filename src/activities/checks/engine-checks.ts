// Checks the Flink cluster that compares tables, without changing it. Its gateway must run a
// statement. If Kafka is secured, its processes must be able to log in to Kafka.
import { FlinkError, FlinkGateway, type FlinkSession } from '../../clients/http/flink-gateway.js';
import { flinkTrouble } from '../../clients/http/flink-trouble.js';
import { loginProbe } from '../../connectors/flink-compare.js';
import type { Check } from '../../domain/evidence/check.js';
import { hostsOf, isAuthenticated, tlsFilesOf } from '../../domain/migration/cluster-access.js';
import { neededByEngine, secretsOfEngine } from '../../domain/migration/engine-access.js';
import { engineGateway } from '../../domain/migration/spec.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Asking } from '../objects/owned-kind.js';
import { flinkKafka } from '../runtime/flink-kafka.js';
import { attempt, type Answer } from '../runtime/make-finding.js';

const ENGINE_REMEDY = 'check the gateway and its Flink cluster';

/** Returns no check unless the spec has `validation.engine: flink`. */
export async function checkEngine({ plan, secret }: Asking): Promise<Check[]> {
  const { spec } = plan;
  const url = engineGateway(spec);
  if (url === undefined) return [];
  const gateway = new FlinkGateway(url);
  const ran = await attempt('validation.engine', async () => {
    const rows = await gateway.session((session) =>
      session.run('SELECT JSON_QUERY(\'{"after":{"a":1.0}}\', \'$.after\')'),
    );
    return rows.length === 1
      ? `${await gateway.info()} ran a statement`
      : {
          detail: `${url} answered a test statement with ${rows.length} rows instead of 1`,
          remedy: ENGINE_REMEDY,
        };
  });
  const isSecured = isAuthenticated(spec.kafka) || tlsFilesOf(spec.kafka) !== null;
  if (ran.status !== 'passed' || !isSecured) return [ran];
  const login = await attempt('validation.login', async () => {
    for (const one of secretsOfEngine(spec)) secret(one, hostsOf(spec.kafka.brokers), 'allow');
    return gateway.session((session) => tryLogin(session, plan));
  });
  return [ran, login];
}

/** Makes Flink log in to Kafka without reading records. `windowTopic` need not exist yet. */
async function tryLogin(session: FlinkSession, { spec, names }: ResolvedPlan): Promise<Answer> {
  try {
    const kafka = await flinkKafka(session, spec);
    for (const statement of loginProbe(names.windowTopic, kafka)) await session.run(statement);
  } catch (error) {
    const problem = flinkTrouble(error, spec);
    if (problem) return { detail: problem.message, remedy: problem.remedy };
    const isNew =
      error instanceof FlinkError && error.causes.includes('UnknownTopicOrPartitionException');
    if (!isNew) throw error;
  }
  return ['Flink logs in to Kafka.', ...neededByEngine(spec)].join(' ');
}
