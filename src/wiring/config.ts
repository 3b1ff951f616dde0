// Reads the configuration from the environment, and reports all problems at once. No other file
// reads process.env.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { parse } from 'yaml';
import type { PodIdentity } from '../clients/kubernetes/api-access.js';
import type { ResolveSecret } from '../clients/postgres/connection.js';
import { approverKey, type ApproverKey, type ApproverKeys } from '../clients/signatures.js';
import { sizeBytes } from '../domain/values/duration.js';
import { Problem } from '../domain/failure.js';
import { KEY_ROLES, USUAL_ROLES, type KeyRole } from '../domain/decisions/signed-decision.js';
import { TASK_QUEUE } from '../domain/migration/task-queues.js';
import type { EncryptingCodec } from '../clients/payload-codec.js';
import { readCodec } from './codec-keys.js';
import { VARIABLES, read } from './environment.js';
import { podIdentity } from './pod-identity.js';
import { readProcessSettings, type ProcessSettings } from './process-settings.js';
import { allowCommand, allowSecret, readSecret, secretRules } from './secrets.js';

export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
  /** TLS, API key and headers for the address above. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

export interface Config {
  /**
   * How the worker and the commands of the CLI reach Temporal. The settings come from Temporal's
   * own variables and profile (TEMPORAL_*, temporal.toml).
   */
  readonly temporal: TemporalTarget;
  /** Encrypts payloads. If null, payloads are not encrypted. */
  readonly codec: EncryptingCodec | null;
  /** The task queue of migrations without a zone. */
  readonly taskQueue: string;
  /** The Postgres URL of the ledger's database, if set. Some commands do not need it. */
  readonly ledgerUrl: string | undefined;
  readonly temporalUiUrl: string | undefined;
  /** The approvers in SLUICE_APPROVERS_FILE, a YAML list of { name, publicKey, roles? }. */
  readonly approvers: ApproverKeys;
  /**
   * The folder in which a worker stores the row hashes that it computed from topics. After a
   * restart, the worker continues from these hashes instead of reading the topics from the
   * beginning. The files can be deleted at any time.
   */
  readonly stateDir: string;
  /**
   * SLUICE_WINDOW_MEMORY: the memory in bytes that all windows of the worker may use for keys.
   * A window that needs more uses disk.
   */
  readonly windowMemory: number;
  /**
   * SLUICE_SNAPSHOT_BYTES: the maximum size in bytes of a table that a window reads in one
   * snapshot. A larger table is read range by range.
   */
  readonly snapshotBytes: number;
  /** Settings of the worker's process: queues, log, HTTP endpoint, webhook and version. */
  readonly process: ProcessSettings;
}

export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = [];
  const ledgerUrl = readLedgerUrl(env, problems);
  const temporal = readTemporal(env, problems);
  const windowMemory = readSize(env, 'SLUICE_WINDOW_MEMORY', problems);
  const snapshotBytes = readSize(env, 'SLUICE_SNAPSHOT_BYTES', problems);
  const approvers = readApprovers(read(env, 'SLUICE_APPROVERS_FILE'), problems);
  const process = readProcessSettings(env, problems);
  const codec = readCodec(env, problems);
  try {
    secretRules(env);
  } catch (error) {
    problems.push(`SLUICE_SECRETS: ${(error as Error).message}`);
  }
  if (problems.length > 0)
    throw new Problem(
      'spec-invalid',
      `the environment has ${problems.length} problem(s): ${problems.join('; ')}`,
      'correct the environment variables',
    );
  return {
    temporal,
    codec,
    taskQueue: read(env, 'SLUICE_TASK_QUEUE') ?? TASK_QUEUE,
    ledgerUrl,
    temporalUiUrl: read(env, 'TEMPORAL_UI_URL'),
    approvers,
    stateDir: read(env, 'SLUICE_STATE_DIR') ?? join(tmpdir(), 'sluice-state'),
    windowMemory,
    snapshotBytes,
    process,
  };
}

/**
 * Returns the data converter of clients and workers. If there is a codec, it encrypts payloads and
 * the messages of failures.
 */
export const dataConverterOf = ({
  codec,
}: Pick<Config, 'codec'>): {
  readonly payloadCodecs?: EncryptingCodec[];
  readonly failureConverterPath?: string;
} =>
  codec
    ? {
        payloadCodecs: [codec],
        failureConverterPath: fileURLToPath(
          new URL('../../dist/wiring/failure-converter.js', import.meta.url),
        ),
      }
    : {};

function readLedgerUrl(env: NodeJS.ProcessEnv, problems: string[]): string | undefined {
  const url = read(env, 'SLUICE_LEDGER_URL');
  if (url === undefined) return url;
  if (!/^postgres(ql)?:\/\//.test(url))
    problems.push('SLUICE_LEDGER_URL must start with postgres://');
  else if (!URL.canParse(url))
    problems.push(
      'SLUICE_LEDGER_URL is not a URL like postgres://user:password@host:5432/database (write a # in the password as %23, and a / as %2F)',
    );
  else if (!isDecoded(new URL(url).pathname))
    problems.push(
      'SLUICE_LEDGER_URL names a database that the Postgres client cannot decode: write $ & + , : ; = and @ in its name as they are, and % as %25; a name with # / or ? cannot be used',
    );
  return url;
}

/**
 * Returns whether the Postgres client reads the right database name from the path of a URL. The
 * client uses `decodeURI`, which does not decode some escapes, such as %2F.
 */
function isDecoded(path: string): boolean {
  try {
    return decodeURI(path) === decodeURIComponent(path);
  } catch {
    return false;
  }
}

/**
 * Reads how to connect to Temporal. Variables override the profile, as they do for the `temporal`
 * command.
 */
function readTemporal(env: NodeJS.ProcessEnv, problems: string[]): TemporalTarget {
  let profile: ClientConnectConfig = { connectionOptions: {} };
  try {
    const given = Object.entries(env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    profile = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given) });
  } catch (error) {
    problems.push(
      `the Temporal profile (TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE) cannot be read: ${(error as Error).message}`,
    );
  }
  const { connectionOptions, namespace } = profile;
  const address = connectionOptions.address ?? '127.0.0.1:7233';
  if (!/^\S+:\d+$/.test(address)) problems.push(`TEMPORAL_ADDRESS "${address}" must be host:port`);
  return {
    address,
    namespace: namespace ?? 'default',
    connectionOptions: { ...connectionOptions, address },
  };
}

type SizeName = 'SLUICE_WINDOW_MEMORY' | 'SLUICE_SNAPSHOT_BYTES';

/** Reads a size in bytes. The default is in environment.ts. */
function readSize(env: NodeJS.ProcessEnv, name: SizeName, problems: string[]): number {
  try {
    return sizeBytes(read(env, name) ?? VARIABLES[name].otherwise);
  } catch (error) {
    problems.push(`${name}: ${(error as Error).message}`);
    return 0;
  }
}

function readApprovers(file: string | undefined, problems: string[]): ApproverKeys {
  const keys = new Map<string, ApproverKey>();
  if (!file) return keys;
  try {
    const list: unknown = parse(readFileSync(file, 'utf8'));
    if (!Array.isArray(list)) throw new Error('it must be a list of { name, publicKey }');
    for (const entry of list as { name?: unknown; publicKey?: unknown; roles?: unknown }[]) {
      const { name, publicKey: pem, roles = USUAL_ROLES } = entry ?? {};
      if (typeof name !== 'string' || typeof pem !== 'string')
        throw new Error('every entry needs name and publicKey');
      if (keys.has(name)) throw new Error(`${name} is named twice`);
      if (!isRoles(roles))
        throw new Error(`roles of ${name} must be a list of ${KEY_ROLES.join(', ')}`);
      const key = approverKey(name, pem, roles);
      const twin = [...keys].find(([, other]) => other.key.equals(key.key))?.[0];
      if (twin !== undefined)
        throw new Error(
          `${twin} and ${name} have the same public key, so one person would count as two`,
        );
      keys.set(name, key);
    }
  } catch (error) {
    problems.push(`SLUICE_APPROVERS_FILE ${file}: ${(error as Error).message}`);
  }
  return keys;
}

const isRoles = (roles: unknown): roles is KeyRole[] =>
  Array.isArray(roles) && roles.every((role) => (KEY_ROLES as readonly unknown[]).includes(role));

/**
 * Returns the text of a secret that a spec names and that will be sent to `hosts`. With the purpose
 * `run`, returns the path of the program that prints a token. With the purpose `allow`, only checks
 * that the secret may be used, and returns an empty text. See `readSecret`.
 */
export const resolveSecret: ResolveSecret = (secret, hosts, purpose = 'read') => {
  if (purpose === 'read') return readSecret(secret, hosts, process.env);
  if (purpose === 'run' && 'file' in secret) return allowCommand(secret.file, hosts, process.env);
  allowSecret(secret, hosts, process.env);
  return '';
};

/** The service account of this process. Null if it does not run in a pod. */
export const ownPod = (): PodIdentity | null => podIdentity(process.env);

/**
 * Returns this process's environment with the given additions, for a command that a person wants to
 * run.
 */
export const environmentWith = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  ...more,
});
