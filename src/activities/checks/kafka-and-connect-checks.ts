// Checks Kafka and Kafka Connect, read-only.
import { JDBC_SINK_CLASS, jdbcSinkConfig } from '../../connectors/jdbc-sink.js';
import { connectionTrouble } from '../../clients/kafka/connection-trouble.js';
import type { KafkaSpec } from '../../domain/migration/cluster-access.js';
import { connectPlace } from '../../domain/migration/connect-control.js';
import { FAILURES, Problem } from '../../domain/failure.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Check } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { classify } from '../runtime/application-failure.js';
import type { Asking } from '../objects/owned-kind.js';
import {
  sourceConnectorConfigs,
  type WantedConnector,
} from '../capture/connectors/source-connectors.js';
import { takenNames, type IsOwned } from './names-free.js';
import { checkAcls } from './acl-checks.js';
import { checkResources, checkStrimzi } from './strimzi-checks.js';
import { checkTopicNames } from './topic-name-checks.js';
import { attempt, failed, passed, type Answer } from '../runtime/make-finding.js';

export async function checkKafka(asking: Asking, isOwned: IsOwned): Promise<Check[]> {
  const { plan, systems } = asking;
  const { brokers, replication } = plan.spec.kafka;
  let kafka: KafkaPort;
  let topics: string[];
  try {
    kafka = systems.kafka(plan);
    topics = await kafka.listTopics();
  } catch (error) {
    return [unreachable(plan.spec.kafka, error)];
  }
  const wanted = plan.topics;
  return [
    passed('kafka.reachable', '', `connected to ${brokers.join(', ')}`),
    ...saslInClear(plan),
    await attempt('kafka.replication', async () => {
      const count = await kafka.brokerCount();
      return count >= replication
        ? `${count} broker(s)`
        : {
            detail: `there are ${count} broker(s), and each topic needs ${replication} copies`,
            remedy: 'lower spec.kafka.replication or add brokers',
          };
    }),
    await attempt('kafka.topics-free', async () => {
      const taken = await takenNames(asking, isOwned, 'kafka.topics-free');
      return taken.length === 0
        ? `${wanted.length} topic names are free`
        : {
            detail: `topics with these names exist, and the ledger does not say that this migration created them: ${taken.map(({ name }) => name).join(', ')}`,
            remedy:
              'choose another connector.topicPrefix or output.topic; or delete these topics, if no other migration (see sluice list) and no application uses them',
          };
    }),
    checkTopicNames(wanted, topics),
    ...(await checkAcls(asking)),
  ];
}

/**
 * Returns the finding for brokers that do not answer. A known cause gets its own message and
 * remedy.
 */
function unreachable(kafka: KafkaSpec, error: unknown): Check {
  const known = error instanceof Problem ? error : connectionTrouble(error, kafka);
  if (known) return failed('kafka.reachable', '', known.message, known.remedy);
  const detail = `no broker of ${kafka.brokers.join(', ')} answers: ${classify(error).message}`;
  return failed('kafka.reachable', '', detail, 'check spec.kafka.brokers and the network');
}

/**
 * Refuses what anyone on the network could read: a password of PLAIN or a token without TLS, and a
 * token endpoint with http.
 */
function saslInClear({ spec }: ResolvedPlan): Check[] {
  const { sasl, tls } = spec.kafka;
  const waive = 'waive kafka.sasl if the network itself is encrypted';
  const found: Check[] = [];
  const add = (detail: string, remedy: string): void =>
    void found.push(failed('kafka.sasl', '', detail, `${remedy}; ${waive}`));
  if (sasl?.mechanism === 'plain' && !tls)
    add(
      'SASL PLAIN without TLS sends the password in clear text',
      'set kafka.tls: true, or use scram-sha-512',
    );
  if (sasl?.mechanism === 'oauthbearer' && !tls)
    add('OAUTHBEARER without TLS sends the token in clear text', 'set kafka.tls: true');
  if (
    sasl?.mechanism === 'oauthbearer' &&
    'url' in sasl.token &&
    !sasl.token.url.startsWith('https:')
  )
    add(
      `the token endpoint ${sasl.token.url} gets the client's secret in clear text`,
      'use an https URL',
    );
  return found;
}

/** Refuses a login over http, because anyone on the network could read it. */
function loginInClear({ spec: { connector } }: ResolvedPlan): Check[] {
  if (!connector.auth || !connector.url?.startsWith('http:')) return [];
  const remedy =
    'use an https URL; waive connect.auth if the network itself is encrypted, or if Connect runs on this machine';
  return [failed('connect.auth', '', 'connector.auth over http is sent in clear text', remedy)];
}

export async function checkConnect(asking: Asking, isOwned: IsOwned): Promise<Check[]> {
  const { plan } = asking;
  const control = await checkStrimzi(asking);
  let version: string;
  try {
    version = await asking.systems.connect(plan).version();
  } catch (error) {
    const problem = classify(error);
    const isKnown = problem.remedy !== FAILURES.unreachable.remedy;
    const remedy = isKnown ? problem.remedy : 'check spec.connector.url and the Connect worker';
    return [...control, failed('connect.reachable', '', problem.message, remedy)];
  }
  const place = connectPlace(plan.spec.connector);
  const checks: Check[] = [
    passed('connect.reachable', '', `Kafka Connect ${version} at ${place}`),
    ...control,
    ...loginInClear(plan),
  ];
  let sources: WantedConnector[] = [];
  try {
    sources = await sourceConnectorConfigs(asking, plan);
  } catch (error) {
    const problem = classify(error);
    checks.push(failed('connect.source', '', problem.message, problem.remedy));
  }
  const wanted: WantedConnector[] = [
    ...sources,
    ...(plan.sink
      ? [
          {
            name: plan.sink.connector,
            connectorClass: JDBC_SINK_CLASS,
            config: jdbcSinkConfig(plan),
          },
        ]
      : []),
  ];
  const made = wanted.filter(({ unfit }) => unfit === undefined);
  checks.push(...(await checkResources(asking, made)));
  for (const connector of made) checks.push(...(await checkConnector(asking, isOwned, connector)));
  return checks;
}

/**
 * The finding for Strimzi, where Kafka Connect checks a configuration only when it creates the
 * connector.
 */
const UNCHECKED: Answer = {
  unknown: true,
  detail:
    'Through Kubernetes, Sluice cannot ask Kafka Connect to check a configuration. Kafka Connect checks it only when the connector is created. Sluice creates it in the state stopped',
  remedy:
    'accept this with a waiver of connect.config; if Kafka Connect refuses the configuration in the phase connect, the run blocks before the connector has done anything',
};

/**
 * Checks that the plugin is installed, that the plugin itself accepts the configuration, and that
 * the name is free.
 */
async function checkConnector(
  asking: Asking,
  isOwned: IsOwned,
  { name, connectorClass, config }: WantedConnector,
): Promise<Check[]> {
  const { plan } = asking;
  const rest = asking.systems.connect(plan);
  const plugin = await attempt(
    'connect.plugin',
    async () =>
      (await rest.pluginClasses()).includes(connectorClass)
        ? `${connectorClass} is installed`
        : {
            detail: `${connectorClass} is not installed`,
            remedy:
              'put the plugin on the plugin.path of every Connect worker, and restart these workers',
          },
    name,
  );
  if (plugin.status !== 'passed') return [plugin];
  return [
    plugin,
    await attempt(
      'connect.config',
      async () => {
        const errors = await rest.validate(connectorClass, config);
        if (errors === null) return UNCHECKED;
        return errors.length === 0
          ? 'the connector itself accepts the configuration'
          : {
              detail: errors.join('; ').slice(0, 800),
              remedy: configRemedy(config),
            };
      },
      name,
    ),
    await attempt(
      'connect.name-free',
      async () => {
        const taken = await takenNames(asking, isOwned, 'connect.name-free', name);
        return taken.length === 0
          ? 'the name is free'
          : {
              detail: `a connector ${name} exists, and the ledger does not say that this migration created it`,
              remedy: 'choose another metadata.name, or remove that connector if nobody uses it',
            };
      },
      name,
    ),
  ];
}

/**
 * Returns the remedy for a refused configuration. The most common cause is that the Connect workers
 * lack the secret with which the connector logs in.
 */
function configRemedy(config: Readonly<Record<string, string>>): string {
  const placeholder = config['database.password'] ?? config['connection.password'];
  const variable = /^\$\{env:(.+)\}$/.exec(placeholder ?? '')?.[1];
  if (!variable)
    return `correct the settings that the connector names${placeholder ? ` (it logs in with ${placeholder}, which the Connect workers must be able to read)` : ''}`;
  return (
    `correct the settings that the connector names. Connect logs in as ${config['database.user'] ?? config['connection.user'] ?? config['connection.username']} with ${placeholder}: set ${variable} in the Connect workers' environment ` +
    `and allow it in their config.providers (with the local stack: export ${variable}, then run \`npm run stack -- down\` and \`npm run stack -- up\`)`
  );
}
