// Tests which specs may leave the control of the connectors to Strimzi, and what such a plan needs
// in Kubernetes. Also tests the resource of a connector.
import { describe, expect, it } from 'vitest';
import { configOf, configPatch, specOf } from '../../src/clients/kubernetes/connector-resource.js';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { aSpec, aSpecInput } from '../support/builders.js';

const STRIMZI = { namespace: 'kafka', cluster: 'my-connect' };
const connector = (more: object = {}) => ({
  type: 'debezium-postgres',
  control: 'strimzi',
  strimzi: STRIMZI,
  ...more,
});

/** Returns the problems of a spec, each as `path: message`. */
function problems(spec: Record<string, unknown>, name = 'bank'): string[] {
  const parsed = parseSpecObject(aSpecInput({ name, spec }));
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}
const REST = /belongs to Kafka Connect's REST API/;

describe('a spec with control: strimzi', () => {
  it('needs only the namespace and the name of the KafkaConnect resource', () =>
    expect(problems({ connector: connector() })).toEqual([]));

  it.each([
    ['it lacks strimzi', { strimzi: undefined }, /spec.connector.control: .*needs strimzi/],
    ['it has a url', { url: 'http://connect:8083' }, REST],
    ['it has auth', { auth: { tokenFrom: { env: 'T' } } }, REST],
    ['it has tls', { tls: { ca: '/ca.pem' } }, REST],
    [
      'it has a ca but no apiServer',
      { strimzi: { ...STRIMZI, ca: '/ca.pem' } },
      /used only with apiServer/,
    ],
    [
      'it has a token but no apiServer',
      { strimzi: { ...STRIMZI, tokenFrom: { env: 'T' } } },
      /used only with apiServer/,
    ],
    [
      'it has a ca for an http URL',
      { strimzi: { ...STRIMZI, apiServer: 'http://api', ca: '/ca.pem' } },
      /only used with an https URL/,
    ],
    [
      'its namespace is not a name',
      { strimzi: { ...STRIMZI, namespace: 'a/b' } },
      /expected the name of a Kub/,
    ],
    [
      'its connector polls',
      { type: 'jdbc-source', mode: 'bulk', deletes: 'none' },
      /spec.connector.type: .*too slow for a connector that polls/,
    ],
  ])('is refused if %s', (_what, more, message) =>
    expect(problems({ connector: connector(more) }).join('\n')).toMatch(message),
  );

  it('refuses tables in Avro, because Strimzi does not show whether the converter is installed', () => {
    const kafka = { brokers: ['k:9092'], format: 'avro', registry: { url: 'http://registry' } };
    expect(problems({ connector: connector(), kafka }).join('\n')).toMatch(
      /spec.kafka.format: .*does not list converters/,
    );
  });

  it('refuses a shared table, whose sink Strimzi would have to reconfigure during the hold', () => {
    const route = { type: 'postgres-table', table: 'public.t', batchRole: 'b', streamRole: 's' };
    expect(problems({ connector: connector(), cutover: { route } }).join('\n')).toMatch(
      /spec.cutover.route.type: .*while writers wait/,
    );
  });

  it('refuses a name that no Kubernetes object can have', () =>
    expect(problems({ connector: connector() }, 'bank-').join('\n')).toMatch(
      /metadata.name: connector bank-: the name of a KafkaConnector/,
    ));
});

describe('a spec without control: strimzi', () => {
  it('needs the URL of Kafka Connect', () =>
    expect(problems({ connector: { type: 'debezium-postgres' } })).toEqual([
      "spec.connector.url: is missing: the URL of Kafka Connect's REST API",
    ]));
  it('refuses the key connector.strimzi', () =>
    expect(
      problems({ connector: { type: 'debezium-postgres', url: 'http://c', strimzi: STRIMZI } }),
    ).toEqual([expect.stringContaining('is used only with control: strimzi')]));
});

describe('the plan of a migration with Strimzi', () => {
  it("names the connector's resource, and a Role with the rights that Sluice needs in Kubernetes", () => {
    const plan = buildPlan(aSpec({ spec: { connector: connector() } }));
    expect(plan.creates.find(({ kind }) => kind === 'connector')).toMatchObject({
      name: 'bank',
      where: 'KafkaConnect kafka/my-connect',
    });
    const group = 'kafka.strimzi.io';
    expect(plan.role).toEqual({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'sluice-bank', namespace: 'kafka' },
      rules: [
        {
          apiGroups: [group],
          resources: ['kafkaconnects'],
          verbs: ['get'],
          resourceNames: ['my-connect'],
        },
        {
          apiGroups: [group],
          resources: ['kafkaconnectors'],
          verbs: ['create', 'delete', 'get', 'patch'],
        },
        {
          apiGroups: [''],
          resources: ['configmaps'],
          verbs: ['get'],
          resourceNames: ['sluice-bank-offsets'],
        },
      ],
    });
  });
  it('has no Role if the REST API controls the connectors', () =>
    expect(buildPlan(aSpec()).role).toBeUndefined());
});

describe('the resource of a connector', () => {
  const CONFIG = {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    'database.password': '${env:PGPASSWORD}',
  };
  const of = (spec: ReturnType<typeof specOf>) =>
    configOf({ metadata: { name: 'bank', uid: 'u', resourceVersion: '1' }, spec });

  it('has the same configuration when it is read back', () =>
    expect(of(specOf(CONFIG))).toEqual({ ...CONFIG, name: 'bank' }));

  it('is read with every value as text, even a value that a person wrote as a number', () =>
    expect(of({ config: { 'max.batch.size': 7 } })).toMatchObject({ 'max.batch.size': '7' }));

  it('is patched so that it loses the keys that a new configuration does not have', () => {
    const after = specOf({ 'connector.class': 'c', a: '1' });
    expect(configPatch({ version: '1', tasksMax: 2, config: { a: '0', b: '2' } }, after)).toEqual({
      class: 'c',
      tasksMax: null,
      version: null,
      config: { a: '1', b: null },
    });
  });
});
