// Starts a schema registry (`--with registry`) that keeps its schemas in memory and answers the
// Confluent API. The converter in Kafka Connect registers schemas with it.
import { join } from 'node:path';
import { registryServer } from '../fetch-optional.js';
import type { Say } from '../make-once.js';
import { PINS, type StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';

export async function startRegistry(home: StackHome, say: Say): Promise<void> {
  if (alive(home, 'registry') === undefined) {
    const dir = await registryServer(say);
    launch(home, {
      name: 'registry',
      command: 'java',
      args: [
        '-Xms64m',
        '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-Dquarkus.http.host=127.0.0.1',
        `-Dquarkus.http.port=${home.ports.registry}`,
        '-jar',
        join(dir, `apicurio-registry-app-${PINS.apicurio}-runner.jar`),
      ],
      cwd: dir,
    });
  }
  await untilReady(home, 'registry', async () => {
    const url = `${registryUrl(home)}/subjects`;
    return (await fetch(url, { signal: AbortSignal.timeout(3000) })).ok;
  });
}

/** Returns the URL of the registry's Confluent API. */
export const registryUrl = ({ ports }: StackHome): string =>
  `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`;
