// Reads the settings of the worker's process from the environment: queues, log, HTTP endpoint,
// webhook and version.
import type { Webhook } from '../clients/http/webhook.js';
import {
  QUEUES,
  QUEUE_ROLES,
  ZONE_PATTERN,
  type QueueRole,
  type Zone,
} from '../domain/migration/task-queues.js';
import { VARIABLES, read, type Environment, type VariableName } from './environment.js';

export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const;
export const LOG_FORMATS = ['text', 'json'] as const;
const WEBHOOK_FORMATS = ['generic', 'slack'] as const;

export interface LogSettings {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: (typeof LOG_FORMATS)[number];
}

/** The queues that a worker serves. */
export interface QueueSettings {
  /** The zones. Null stands for the migrations that have no zone. */
  readonly zones: readonly Zone[];
  /** How many activities run at a time, for each kind of queue. */
  readonly slots: Readonly<Record<QueueRole, number>>;
  /** The maximum number of open polls for one queue. Null for Temporal's default. */
  readonly pollers: number | null;
  /** The number of cached workflows. Null for Temporal's default. */
  readonly workflowCache: number | null;
}

export interface ProcessSettings {
  readonly queues: QueueSettings;
  readonly log: LogSettings;
  /** The `host:port` of the HTTP endpoint. Null if there is no endpoint. */
  readonly httpAddress: string | null;
  /** The webhook for notices. Null if no notices are sent. */
  readonly webhook: Webhook | null;
  /** The version of the worker at Temporal. Null if the worker has no version. */
  readonly version: { readonly deploymentName: string; readonly buildId: string } | null;
}

/** Reads the settings. Adds a sentence to `problems` for each variable that is wrong. */
export function readProcessSettings(env: Environment, problems: string[]): ProcessSettings {
  const httpAddress = read(env, 'SLUICE_HTTP_ADDRESS') ?? null;
  if (httpAddress !== null && !/^\S+:\d{1,5}$/.test(httpAddress))
    problems.push(`SLUICE_HTTP_ADDRESS "${httpAddress}" must be host:port, such as 0.0.0.0:9464`);
  return {
    queues: readQueues(env, problems),
    log: {
      level: oneOf(env, 'SLUICE_LOG_LEVEL', LOG_LEVELS, problems),
      format: oneOf(env, 'SLUICE_LOG_FORMAT', LOG_FORMATS, problems),
    },
    httpAddress,
    webhook: readWebhook(env, problems),
    version: readVersion(env, problems),
  };
}

function readQueues(env: Environment, problems: string[]): QueueSettings {
  const zones = (read(env, 'SLUICE_ZONES') ?? '').split(',').filter((zone) => zone !== '');
  for (const zone of zones.filter((one) => !ZONE_PATTERN.test(one)))
    problems.push(`SLUICE_ZONES: zone "${zone}" must be 1 to 40 of a-z and 0-9`);
  return {
    zones: zones.length === 0 ? [null] : zones,
    slots: readSlots(env, problems),
    // The minimum is two, because Temporal may reserve one poll for workflows that this worker has
    // cached.
    pollers: readCount(env, 'SLUICE_POLLERS', 2, problems),
    workflowCache: readCount(env, 'SLUICE_WORKFLOW_CACHE', 1, problems),
  };
}

function readSlots(env: Environment, problems: string[]): QueueSettings['slots'] {
  const slots = Object.fromEntries(QUEUE_ROLES.map((role) => [role, QUEUES[role].slots])) as Record<
    QueueRole,
    number
  >;
  for (const entry of (read(env, 'SLUICE_SLOTS') ?? '').split(',').filter((one) => one !== '')) {
    const [, name, count] = /^(\w+)=(\d{1,6})$/.exec(entry) ?? [];
    const role = QUEUE_ROLES.find((one) => one === name);
    if (role === undefined)
      problems.push(
        `SLUICE_SLOTS: "${entry}" must be KIND=NUMBER, and a kind is one of ${QUEUE_ROLES.join(', ')}`,
      );
    else slots[role] = Number(count);
  }
  if (Object.values(slots).every((count) => count === 0))
    problems.push('SLUICE_SLOTS leaves no kind of work that this worker serves');
  return slots;
}

function readCount(
  env: Environment,
  name: 'SLUICE_POLLERS' | 'SLUICE_WORKFLOW_CACHE',
  least: number,
  problems: string[],
): number | null {
  const text = read(env, name);
  if (text === undefined) return null;
  if (!/^\d{1,6}$/.test(text) || Number(text) < least)
    problems.push(`${name} "${text}" must be a number of at least ${least}`);
  return Number(text);
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

/**
 * Reads a variable that has a closed list of values. If it is not set, the default in
 * environment.ts applies.
 */
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
