// Finds the service account that Kubernetes gives to the pod of this process.
import { readFileSync } from 'node:fs';
import type { PodIdentity } from '../clients/kubernetes/api-access.js';
import { Problem } from '../domain/failure.js';
import { read, type Environment } from './environment.js';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Returns the identity of the pod. Returns null if this process does not run in a pod. */
export function podIdentity(env: Environment, folder = FOLDER): PodIdentity | null {
  const host = read(env, 'KUBERNETES_SERVICE_HOST');
  const port = read(env, 'KUBERNETES_SERVICE_PORT');
  if (host === undefined) return null;
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return {
    url: `https://${name}:${port ?? '443'}`,
    tokenFile: `${folder}/token`,
    caFile: `${folder}/ca.crt`,
    readToken,
  };
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Problem(
      'permission-denied',
      `cannot read the pod's token ${path}: ${(error as NodeJS.ErrnoException).code}`,
      'give the pod a service account whose token is mounted; then: sluice retry',
    );
  }
}
