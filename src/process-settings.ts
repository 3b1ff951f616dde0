// Reads the settings of the worker's process from the environment: log, HTTP endpoint and webhook.
import type { Webhook } from './clients/http/webhook.js';
import { VARIABLES, read, type Environment, type VariableName } from './environment.js';

export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const;
export const LOG_FORMATS = ['text', 'json'] as const;
const WEBHOOK_FORMATS = ['generic', 'slack'] as const;

export interface LogSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

export interface ProcessSettings {
  readonly log: LogSettings;
  /** The `host:port` of the HTTP endpoint. Null means that there is none. */
  readonly httpAddress: string | null;
  /** Null means that no notices are sent. */
  readonly webhook: Webhook | null;
  /** The version of the worker at Temporal. Null means that the worker has none. */
  readonly version: { readonly deploymentName: string; readonly buildId: string } | null;
}

/** `problems` gets a sentence for each variable that is wrong. */
export function readProcessSettings(env: Environment, problems: string[]): ProcessSettings {
  const httpAddress = read(env, 'SLUICE_HTTP_ADDRESS') ?? null;
  if (httpAddress !== null && !/^\S+:\d{1,5}$/.test(httpAddress))
    problems.push(`SLUICE_HTTP_ADDRESS "${httpAddress}" must be host:port, such as 0.0.0.0:9464`);
  return {
    log: {
      level: oneOf(env, 'SLUICE_LOG_LEVEL', LOG_LEVELS, problems),
      format: oneOf(env, 'SLUICE_LOG_FORMAT', LOG_FORMATS, problems),
    },
    httpAddress,
    webhook: readWebhook(env, problems),
    version: readVersion(env, problems),
  };
}

function readVersion(env: Environment, problems: string[]): ProcessSettings['version'] {
  const deploymentName = read(env, 'SLUICE_DEPLOYMENT');
  const buildId = read(env, 'SLUICE_BUILD_ID');
  if (deploymentName !== undefined && buildId !== undefined) return { deploymentName, buildId };
  if (deploymentName !== undefined || buildId !== undefined)
    problems.push('SLUICE_DEPLOYMENT and SLUICE_BUILD_ID must be set together');
  return null;
}

function readWebhook(env: Environment, problems: string[]): Webhook | null {
  const url = read(env, 'SLUICE_WEBHOOK_URL');
  const format = oneOf(env, 'SLUICE_WEBHOOK_FORMAT', WEBHOOK_FORMATS, problems);
  if (url === undefined) return null;
  const isUrl = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  // the URL of a webhook is often a secret, so the message omits it
  if (!isUrl) problems.push('SLUICE_WEBHOOK_URL must be an http or https URL');
  return { url, format, token: read(env, 'SLUICE_WEBHOOK_TOKEN') };
}

/** Reads one of a few values. Without the variable, it is the default in environment.ts. */
export function oneOf<T extends string>(
  env: Environment,
  name: VariableName,
  values: readonly T[],
  problems: string[],
): T {
  const given = read(env, name) ?? VARIABLES[name].otherwise;
  const found = values.find((value) => value === given);
  if (found === undefined) problems.push(`${name} "${given}" is not one of ${values.join(', ')}`);
  return found ?? values[0]!;
}
