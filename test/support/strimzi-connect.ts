// Starts a fake API server of Kubernetes with a fake operator of Strimzi, and a client that
// controls connectors through them. The client waits for shorter times than usual.
import { untilRunning } from '../../src/activities/capture/connectors/connector-state.js';
import { ApiServer } from '../../src/clients/kubernetes/api-server.js';
import { StrimziConnect } from '../../src/clients/kubernetes/strimzi-connect.js';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aSpec } from './builders.js';
import { FakeStrimzi } from './fake-strimzi.js';

/** The configuration of the connector `bank`. */
export const CONFIG = debeziumPostgresConfig(resolve({ spec: aSpec(), generation: 1 }));
const HOME = { namespace: 'kafka', cluster: 'my-connect', migration: 'bank' };
const PACE = { limitMs: 1000, spacingMs: 5, askAgainMs: 20 };

interface Started {
  readonly fake: FakeStrimzi;
  readonly connect: StrimziConnect;
  /** Creates the connector `bank`, and waits until it runs. */
  readonly running: () => Promise<void>;
}

export async function startStrimzi(): Promise<Started> {
  const fake = new FakeStrimzi();
  const url = await fake.start();
  const http = { authorization: 'Bearer token' };
  const api = new ApiServer(() => ({ url, http, tokenOf: 'the test' }));
  const connect = new StrimziConnect(api, HOME, undefined, PACE);
  const running = async (): Promise<void> => {
    await connect.createStopped('bank', CONFIG);
    await connect.resume('bank');
    await untilRunning(connect, 'bank');
  };
  return { fake, connect, running };
}
