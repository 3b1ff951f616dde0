// Defines the keys of `connector` that say who controls the connectors.
import { z } from 'zod';
import { httpUrl, path, secretRef } from './spec-parts.js';

export const control = z
  .enum(['rest', 'strimzi'])
  .optional()
  .describe(
    "Who controls the connectors: Kafka Connect's REST API (rest, the default), or Strimzi's operator through KafkaConnector resources.",
  );

export const strimzi = z.strictObject({
  namespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected the name of a Kubernetes namespace')
    .describe('The namespace of the KafkaConnect resource, which also gets the connectors.'),
  cluster: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, 'expected the name of a KafkaConnect resource')
    .describe('The name of the KafkaConnect resource.'),
  apiServer: httpUrl
    .optional()
    .describe(
      "The URL of the Kubernetes API. Without it, the worker uses its pod's service account.",
    ),
  ca: path
    .optional()
    .describe("The PEM file with the CA of the API server; the system's CAs if absent."),
  tokenFrom: secretRef
    .optional()
    .describe('The place of the token. A file is read again for each request.'),
});
