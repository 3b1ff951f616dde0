// Checks a Kubernetes cluster with Strimzi's operator, without changing anything. Checks the token
// and the rights of the worker's login, the operator's version, and Kafka Connect's providers of
// secrets. Also tries to create the resources of the connectors in a dry run.
import type { ApiServer } from '../../clients/kubernetes/api-server.js';
import { connectorFolder, newConnector } from '../../clients/kubernetes/connector-resource.js';
import { getKafkaConnect } from '../../clients/kubernetes/kafka-connect-resource.js';
import { kubernetesRules, type RoleRule } from '../../domain/access/kubernetes-role.js';
import type { Check } from '../../domain/evidence/check.js';
import { Problem } from '../../domain/failure.js';
import { strimziOf, type StrimziSpec } from '../../domain/migration/connect-control.js';
import type { WantedConnector } from '../capture/connectors/source-connectors.js';
import type { Asking } from '../objects/owned-kind.js';
import { attempt, type Answer } from '../runtime/make-finding.js';

const ROLE_REMEDY =
  'create the Role that sluice plan prints, and bind it to the login of the worker';
/** Strimzi configures these providers of secrets itself. */
const BUILT_IN = ['strimzienv', 'strimzifile', 'strimzidir', 'strimzisecrets'];
/**
 * A field that the CRDs have since Strimzi 1.2.0. Sluice recognizes the version by it, because the
 * CRDs do not state their version. Since 1.2.0, the operator creates a connector in the state
 * STOPPED and does not start it first.
 */
const FIELD_SINCE_1_2 = 'templatedVolumes';

/** Returns no finding if Sluice controls the connectors with Kafka Connect's REST API. */
export async function checkStrimzi(asking: Asking): Promise<Check[]> {
  const { plan, systems } = asking;
  const strimzi = strimziOf(plan.spec.connector);
  if (!strimzi) return [];
  const api = systems.kubernetes(strimzi);
  return [
    ...loginInClear(strimzi),
    await attempt('connect.access', () => denied(api, strimzi, kubernetesRules(plan))),
    await attempt('connect.operator', () => operatorVersion(api)),
  ];
}

/** Checks that Kafka Connect can resolve the secrets, and that Kubernetes accepts the resources. */
export async function checkResources(
  { plan, systems }: Asking,
  wanted: readonly WantedConnector[],
): Promise<Check[]> {
  const strimzi = strimziOf(plan.spec.connector);
  if (!strimzi || wanted.length === 0) return [];
  const api = systems.kubernetes(strimzi);
  const home = { ...strimzi, migration: plan.metadata.name };
  const accepted = wanted.map(({ name, config }) =>
    attempt('connect.resource', () => dryRun(api, newConnector(home, name, config), home), name),
  );
  return [
    await attempt('connect.secrets', () => providers(api, strimzi, wanted)),
    ...(await Promise.all(accepted)),
  ];
}

function loginInClear({ apiServer, tokenFrom }: StrimziSpec): Check[] {
  if (!tokenFrom || !apiServer?.startsWith('http:')) return [];
  return [
    {
      name: 'connect.auth',
      subject: '',
      status: 'failed',
      detail: 'the token of connector.strimzi over http is sent in clear text',
      remedy: 'use an https URL; waive connect.auth if the network itself is encrypted',
    },
  ];
}

/** Asks the API server for each right with a SelfSubjectAccessReview, which changes nothing. */
async function denied(
  api: ApiServer,
  { namespace }: StrimziSpec,
  rules: readonly RoleRule[],
): Promise<Answer> {
  const missing: string[] = [];
  let asked = 0;
  for (const { group, resource, verbs, names } of rules)
    for (const verb of verbs) {
      asked += 1;
      const [name] = names ?? [];
      const resourceAttributes = { namespace, group, resource, verb, ...(name ? { name } : {}) };
      const { status } = await api.ask<{ status?: { allowed?: boolean } }>(
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes },
        },
      );
      if (status?.allowed !== true) missing.push(`${verb} ${resource}${name ? ` ${name}` : ''}`);
    }
  return missing.length === 0
    ? `the login has all ${asked} rights in namespace ${namespace}`
    : {
        detail: `the login lacks these rights in namespace ${namespace}: ${missing.join(', ')}`,
        remedy: ROLE_REMEDY,
      };
}

async function operatorVersion(api: ApiServer): Promise<Answer> {
  const described = await api.get<object>('/openapi/v3/apis/kafka.strimzi.io/v1');
  if (described && JSON.stringify(described).includes(`"${FIELD_SINCE_1_2}"`))
    return 'the CRDs are those of Strimzi 1.2.0 or later';
  return {
    detail:
      'the CRDs are older than those of Strimzi 1.2.0. An older operator starts a new connector before it stops it, so the connector would run before Sluice has read its configuration back',
    remedy: 'upgrade the cluster operator and its CRDs to Strimzi 1.2.0 or later',
  };
}

const PLACEHOLDER = /\$\{([a-z]+):/g;

/** Finds placeholders of secrets that no provider of Kafka Connect resolves. */
async function providers(
  api: ApiServer,
  strimzi: StrimziSpec,
  wanted: readonly WantedConnector[],
): Promise<Answer> {
  const found = await getKafkaConnect(api, strimzi);
  const configured = found?.spec.config?.['config.providers'];
  const known = [
    ...BUILT_IN,
    ...(typeof configured === 'string' ? configured.split(',').map((name) => name.trim()) : []),
  ];
  const values = wanted.flatMap(({ config }) => Object.values(config));
  const used = values.flatMap((value) => [...value.matchAll(PLACEHOLDER)].map(([, name]) => name!));
  const missing = [...new Set(used)].filter((name) => !known.includes(name));
  if (missing.length === 0) return 'Kafka Connect has a provider for each placeholder of a secret';
  return {
    detail: `KafkaConnect ${strimzi.namespace}/${strimzi.cluster} has no provider ${missing.join(', ')}, so the connectors would log in with the placeholder itself`,
    remedy:
      'add the provider to spec.config of the KafkaConnect resource, for example config.providers: env and config.providers.env.class: org.apache.kafka.common.config.provider.EnvVarConfigProvider; and set the variable in spec.template.connectContainer.env',
  };
}

/** Asks the API server to validate the resource without creating it. */
async function dryRun(
  api: ApiServer,
  resource: object,
  home: { readonly namespace: string },
): Promise<Answer> {
  try {
    await api.create(connectorFolder(home), resource, '&dryRun=All');
    return 'Kubernetes accepts the resource in a dry run';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // the check connect.name-free says whether this migration made the existing resource
    if (error.code === 'object-not-ours') return 'a resource of this name exists already';
    if (error.code !== 'connector-failed') throw error;
    return {
      detail: error.message,
      remedy: 'correct what the message names, or upgrade the CRDs of Strimzi',
    };
  }
}
