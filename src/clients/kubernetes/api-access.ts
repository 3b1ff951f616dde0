// Decides with which address, certificate and token the worker calls a Kubernetes API.
import { Problem } from '../../domain/failure.js';
import type { StrimziSpec } from '../../domain/migration/connect-control.js';
import { httpAccess, type HttpAccess } from '../http/http-access.js';
import { certificate, type ReadSecret } from '../tls-files.js';

/** The service account of the pod in which this process runs. */
export interface PodIdentity {
  readonly url: string;
  /** The file with the token. Kubernetes replaces its content before the token expires. */
  readonly tokenFile: string;
  readonly caFile: string;
  readonly readToken: (path: string) => string;
}

export interface ApiAccess {
  readonly url: string;
  readonly http: HttpAccess;
  /** The origin of the token, for messages. Undefined if no token is sent. */
  readonly tokenOf: string | undefined;
}

/**
 * Returns the access for one request. Each call reads the token and the certificate again, because
 * Kubernetes replaces tokens. The pod's token is sent only to the API server of the pod's own
 * cluster, whatever a spec says. Throws Problem `permission-denied` if the spec names no API server
 * and this process does not run in a pod.
 */
export function apiAccess(
  strimzi: StrimziSpec,
  secret: ReadSecret,
  pod: PodIdentity | null,
): ApiAccess {
  const { apiServer: url, ca, tokenFrom } = strimzi;
  if (url !== undefined) {
    const tls = url.startsWith('https:') && ca !== undefined ? { ca } : undefined;
    return {
      url: url.replace(/\/+$/, ''),
      http: httpAccess(url, { tls, auth: tokenFrom ? { tokenFrom } : undefined }, secret),
      tokenOf: tokenFrom ? 'connector.strimzi.tokenFrom' : undefined,
    };
  }
  if (!pod)
    throw new Problem(
      'permission-denied',
      'connector.strimzi names no apiServer, and this process does not run in a pod of a Kubernetes cluster',
      'add connector.strimzi.apiServer, ca and tokenFrom; or run the worker in the cluster',
    );
  return {
    url: pod.url,
    http: {
      authorization: `Bearer ${pod.readToken(pod.tokenFile)}`,
      tls: { ca: certificate(pod.caFile) },
    },
    tokenOf: "the pod's service account",
  };
}
