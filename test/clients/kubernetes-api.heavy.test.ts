// Tests the login at a Kubernetes API, the explanation of its refusals, and the errors about the
// KafkaConnect resource, against a fake API server. No real cluster was available.
import { rmSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apiAccess } from '../../src/clients/kubernetes/api-access.js';
import { ApiServer } from '../../src/clients/kubernetes/api-server.js';
import { StrimziConnect } from '../../src/clients/kubernetes/strimzi-connect.js';
import { podIdentity } from '../../src/wiring/pod-identity.js';
import { certificates, file, makeCa, makeCertificate } from '../support/certificates.js';
import { FakeStrimzi } from '../support/fake-strimzi.js';

const STRIMZI = { namespace: 'kafka', cluster: 'my-connect' };
const HOME = { ...STRIMZI, migration: 'bank' };
const secrets: Record<string, string> = { TOKEN: 'token' };
const secret = (ref: { env: string } | { file: string }): string =>
  'env' in ref ? secrets[ref.env]! : readFileSync(ref.file, 'utf8');

let fake: FakeStrimzi;
beforeEach(() => void (fake = new FakeStrimzi()));
afterEach(() => fake.stop());

describe('the login at a Kubernetes API', () => {
  beforeAll(() => {
    makeCa('ca');
    makeCa('other');
    makeCertificate('api', '/CN=localhost', 'subjectAltName=DNS:localhost');
  });
  afterAll(() => rmSync(certificates, { recursive: true }));
  const start = (): Promise<string> =>
    fake.start({
      key: readFileSync(file('api.key'), 'utf8'),
      cert: readFileSync(file('api.crt'), 'utf8'),
    });

  it('in a pod uses the mounted token and CA, and reads a replaced token again', async () => {
    const { port } = new URL(await start());
    const folder = certificates;
    const env = { KUBERNETES_SERVICE_HOST: 'localhost', KUBERNETES_SERVICE_PORT: port };
    const pod = podIdentity(env, folder);
    writeFileSync(file('token'), 'token\n');
    const connect = new StrimziConnect(new ApiServer(() => apiAccess(STRIMZI, secret, pod)), HOME);
    expect(await connect.version()).toBe('4.3.1');
    fake.kubernetes.tokens.clear();
    fake.kubernetes.tokens.add('next');
    await expect(connect.version()).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringMatching(
        /does not accept the token of the pod's service account/,
      ) as string,
    });
    writeFileSync(file('token'), 'next\n');
    expect(await connect.version()).toBe('4.3.1');
  });

  it('with a token file of the spec reads that file again for each request', async () => {
    const apiServer = await start();
    writeFileSync(file('own-token'), 'token');
    const strimzi = {
      ...STRIMZI,
      apiServer,
      ca: file('ca.crt'),
      tokenFrom: { file: file('own-token') },
    };
    const connect = new StrimziConnect(new ApiServer(() => apiAccess(strimzi, secret, null)), HOME);
    expect(await connect.version()).toBe('4.3.1');
    fake.kubernetes.tokens.delete('token');
    fake.kubernetes.tokens.add('rotated');
    writeFileSync(file('own-token'), 'rotated');
    expect(await connect.version()).toBe('4.3.1');
  });

  it('names a wrong CA with its place in the spec', async () => {
    const apiServer = await start();
    const strimzi = { ...STRIMZI, apiServer, ca: file('other.crt'), tokenFrom: { env: 'TOKEN' } };
    const connect = new StrimziConnect(new ApiServer(() => apiAccess(strimzi, secret, null)), HOME);
    await expect(connect.version()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('certificate of the Kubernetes API') as string,
      remedy: 'set connector.strimzi.ca to the CA that signed it',
    });
  });

  it('never sends the token of the pod to an address that a spec names', () => {
    const pod = podIdentity({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, certificates);
    const { http } = apiAccess({ ...STRIMZI, apiServer: 'https://elsewhere' }, secret, pod);
    expect(http.authorization).toBeUndefined();
  });

  it('needs an address if the worker does not run in a pod', () => {
    expect(() => apiAccess(STRIMZI, secret, podIdentity({}))).toThrow(/does not run in a pod/);
  });
});

describe('a refusal of a Kubernetes API', () => {
  const login = async () => {
    const url = await fake.start();
    const http = { authorization: 'Bearer token' };
    return new StrimziConnect(new ApiServer(() => ({ url, http, tokenOf: 'the spec' })), HOME);
  };

  it('for a missing right names the right, and the Role as the remedy', async () => {
    const connect = await login();
    fake.kubernetes.denied.add('create kafkaconnectors');
    await expect(connect.createStopped('bank', {})).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringContaining('cannot create it') as string,
      remedy: expect.stringContaining('create the Role that sluice plan prints') as string,
    });
  });

  it.each([
    [
      'the CRDs are missing',
      () => (fake.kubernetes.hasCrds = false),
      /does not know .*kafkaconnectors/,
    ],
    [
      'the namespace is missing',
      () => fake.kubernetes.namespaces.clear(),
      /namespaces.* not found/,
    ],
  ])(
    'says that %s, and never that the connector does not exist',
    async (_what, breaks, message) => {
      const connect = await login();
      breaks();
      await expect(connect.createStopped('bank', {})).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(message) as string,
      });
      if (!fake.kubernetes.hasCrds)
        await expect(connect.config('bank')).rejects.toMatchObject({ code: 'unreachable' });
    },
  );

  it('for a resource that the CRD does not allow says what is wrong, and creates nothing', async () => {
    const connect = await login();
    await expect(connect.createStopped('bank', { 'tasks.max': '0' })).rejects.toMatchObject({
      code: 'connector-failed',
      message: expect.stringContaining('should be greater than or equal to 1') as string,
    });
    expect(fake.kubernetes.get('kafkaconnectors', 'bank')).toBeUndefined();
  });

  it('is not confused with the answer of a server that is no Kubernetes API', async () => {
    const server = createServer((_request, response) => void response.end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await fake.start();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connect = new StrimziConnect(
      new ApiServer(() => ({ url, http: {}, tokenOf: undefined })),
      HOME,
    );
    await expect(connect.version()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('is not a Kubernetes API') as string,
    });
    server.close();
  });
});

describe('the KafkaConnect resource', () => {
  it.each([
    ['does not use connector resources', { annotations: {} }, /does not use connector resources/],
    ['has no replicas', { spec: { replicas: 0 } }, /has 0 replicas/],
    ['was not carried out yet', { status: { observedGeneration: 0 } }, /not yet applied/],
    [
      'is not ready',
      {
        status: {
          conditions: [
            { type: 'NotReady', status: 'True', reason: 'TimeoutException', message: 'pods' },
          ],
        },
      },
      /is not ready: TimeoutException: pods/,
    ],
  ])('that %s is named in the error', async (_what, more, message) => {
    const url = await fake.start();
    fake.kubernetes.objects.delete('kafkaconnects/kafka/my-connect');
    fake.putCluster(more);
    const http = { authorization: 'Bearer token' };
    const connect = new StrimziConnect(new ApiServer(() => ({ url, http, tokenOf: 'x' })), HOME);
    await expect(connect.plugins()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(message) as string,
    });
  });
});
