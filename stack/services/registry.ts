// Starts a schema registry (`--with registry`) that keeps its schemas in memory and has Confluent's
// API. The Avro converter in Kafka Connect registers schemas with it.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { registryServer } from '../fetch-optional.js';
import type { Say } from '../make-once.js';
import { PINS, type StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';
import { securedOf, type Secured } from '../secure.js';

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
        ...listener(home, securedOf(home)),
        '-jar',
        join(dir, `apicurio-registry-app-${PINS.apicurio}-runner.jar`),
      ],
      cwd: dir,
    });
  }
  await untilReady(home, 'registry', () => answers(home));
}

/** Returns the options of the server's port. In a secured stack, the only port uses TLS. */
function listener({ ports }: StackHome, secured: Secured | null): string[] {
  if (!secured) return [`-Dquarkus.http.port=${ports.registry}`];
  const file = (ending: string): string => join(secured.folder, `registry.${ending}`);
  return [
    '-Dquarkus.http.insecure-requests=disabled',
    `-Dquarkus.http.ssl-port=${ports.registry}`,
    `-Dquarkus.http.ssl.certificate.files=${file('crt')}`,
    `-Dquarkus.http.ssl.certificate.key-files=${file('key')}`,
  ];
}

function answers(home: StackHome): Promise<boolean> {
  const url = `${registryUrl(home)}/subjects`;
  const secured = securedOf(home);
  if (!secured) return fetch(url, { signal: AbortSignal.timeout(3000) }).then(({ ok }) => ok);
  const options = { ca: readFileSync(secured.ca), timeout: 3000 };
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer within 3 s')));
    asked.once('error', reject);
    asked.end();
  });
}

/** Returns the URL of the registry's Confluent-compatible API. */
export const registryUrl = (home: StackHome): string =>
  `${securedOf(home) ? 'https' : 'http'}://127.0.0.1:${home.ports.registry}/apis/ccompat/v7`;
