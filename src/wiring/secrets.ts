// Decides which secrets a spec may name, and which hosts may receive each secret. The worker's
// operator sets these rules (SLUICE_SECRETS), because a spec is untrusted.
import { closeSync, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, sep } from 'node:path';
import { Problem } from '../domain/failure.js';
import { read, type Environment } from './environment.js';
import type { SecretRef } from '../domain/migration/spec.js';

export interface SecretRule {
  readonly kind: 'env' | 'file' | 'command';
  /**
   * The secrets that the rule allows. A rule for variables has a name, or a prefix followed by `*`.
   * A rule for files has a folder, and includes its subfolders. A rule for commands has the path of
   * exactly one program.
   */
  readonly what: string;
  /** The hosts that may receive the secret: exact host names, `*.domain`, or `*`. */
  readonly hosts: readonly string[];
}

const MAX_FILE_BYTES = 64 * 1024;
const LOOPBACK = ['localhost', '127.*', '::1', '[::1]'];
/** The name of the folder with a pod's identity. A spec must not use its files as secrets. */
const POD_IDENTITY = 'kubernetes.io';

/**
 * Returns the rules that apply without SLUICE_SECRETS. Any host may receive SLUICE_SECRET_* and
 * files in `/run/secrets` and in `sluice/secrets` of XDG_CONFIG_HOME (`~/.config` by default). Only
 * this machine and PGHOST may receive PGPASSWORD.
 */
function usualRules(env: Environment): SecretRule[] {
  const config = read(env, 'XDG_CONFIG_HOME') ?? join(homedir(), '.config');
  const server = read(env, 'PGHOST');
  return [
    { kind: 'env', what: 'SLUICE_SECRET_*', hosts: ['*'] },
    { kind: 'env', what: 'PGPASSWORD', hosts: [...LOOPBACK, ...(server ? [server] : [])] },
    { kind: 'file', what: join(config, 'sluice/secrets'), hosts: ['*'] },
    { kind: 'file', what: '/run/secrets', hosts: ['*'] },
  ];
}

/**
 * Returns the rules in SLUICE_SECRETS, or the usual rules without this variable. Its form is
 * `env:NAME[@host,…];file:/folder[@host,…];command:/program[@host,…]`. Throws an Error that names
 * the wrong entry.
 */
export function secretRules(env: Environment): SecretRule[] {
  const text = read(env, 'SLUICE_SECRETS');
  if (text === undefined) return usualRules(env);
  const entries = text.split(';').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '').map(readRule);
}

function readRule(entry: string): SecretRule {
  const [, kind, what = '', hosts] = /^(env|file|command):(.*?)(?:@([^@/]*))?$/.exec(entry) ?? [];
  const expected =
    'expected env:NAME, env:PREFIX_*, file:/folder or command:/program, each with @host,host to limit the receivers';
  if (kind === undefined) throw new Error(`"${entry}": ${expected}`);
  if (kind === 'env' && !/^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(what))
    throw new Error(`"${entry}": ${expected}`);
  if (kind === 'file' && (!isAbsolute(what) || what === '/'))
    throw new Error(`"${entry}": give the absolute path of a folder, and not the root`);
  if (kind === 'command' && !isAbsolute(what))
    throw new Error(`"${entry}": give the absolute path of a program`);
  const list = hosts === undefined ? ['*'] : hosts.split(',').map((host) => host.trim());
  if (list.some((host) => !/^(\*|(\*\.)?[A-Za-z0-9._:[\]-]+|127\.\*)$/.test(host)))
    throw new Error(`"${entry}": a host is a name, an address, *.domain or *`);
  return { kind: kind as SecretRule['kind'], what, hosts: list };
}

const nameMatches = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

function hostMatches(pattern: string, host: string): boolean {
  const [wanted, given] = [pattern.toLowerCase(), host.toLowerCase().replace(/\.$/, '')];
  if (wanted === '*') return true;
  if (wanted === '127.*') return /^127(\.\d{1,3}){3}$/.test(given);
  return wanted.startsWith('*.') ? given.endsWith(wanted.slice(1)) : wanted === given;
}

/**
 * Returns the text of a secret that will be sent to `hosts`. The text is never stored. Throws
 * Problem `permission-denied` if the operator does not allow the secret, or if the secret cannot be
 * read.
 */
export function readSecret(secret: SecretRef, hosts: readonly string[], env: Environment): string {
  if ('env' in secret) {
    allowSecret(secret, hosts, env);
    return variable(secret.env, env);
  }
  const [path, key] = splitFileRef(secret.file);
  return pick(readSecretFile(path, hosts, secretRules(env)), path, key);
}

/**
 * Throws Problem `permission-denied` if the operator does not allow the secret for these hosts.
 * Does not read the secret, because Kafka Connect may resolve it instead of Sluice.
 */
export function allowSecret(secret: SecretRef, hosts: readonly string[], env: Environment): void {
  const rules = secretRules(env);
  if ('env' in secret)
    return allow(
      'env',
      secret.env,
      rules.filter((rule) => rule.kind === 'env' && nameMatches(rule.what, secret.env)),
      hosts,
    );
  const [path] = splitFileRef(secret.file);
  allow(
    'file',
    path,
    rules.filter((rule) => rule.kind === 'file' && !path.includes('..') && lies(path, rule.what)),
    hosts,
  );
}

/**
 * Returns the path of a program that a spec names and whose output will be sent to `hosts`. Throws
 * Problem `permission-denied` unless a rule allows exactly this program.
 */
export function allowCommand(path: string, hosts: readonly string[], env: Environment): string {
  const rules = secretRules(env);
  const its = rules.filter((rule) => rule.kind === 'command' && rule.what === path);
  allow('command', path, its, hosts);
  return path;
}

const NAMED: Readonly<Record<SecretRule['kind'], string>> = {
  env: 'the variable',
  file: 'the file',
  command: 'the output of the program',
};

function allow(
  kind: SecretRule['kind'],
  name: string,
  rules: readonly SecretRule[],
  hosts: readonly string[],
): void {
  const what = `${NAMED[kind]} ${name}`;
  const refused = hosts.find(
    (host) => !rules.some((rule) => rule.hosts.some((pattern) => hostMatches(pattern, host))),
  );
  if (rules.length > 0 && refused === undefined) return;
  const entry = `${kind}:${kind === 'file' ? dirname(name) : name}@${refused ?? hosts.join(',')}`;
  throw new Problem(
    'permission-denied',
    rules.length === 0
      ? `${what} must not be used as a secret, because SLUICE_SECRETS does not name it`
      : `${what} must not be sent to ${refused}, because SLUICE_SECRETS does not allow that host`,
    `if you trust this spec with it, the worker's operator can add "${entry}" to SLUICE_SECRETS, then: sluice retry`,
  );
}

function variable(name: string, env: Environment): string {
  const value = env[name];
  if (value !== undefined) return value;
  throw new Problem(
    'permission-denied',
    `the secret ${name} is not in the environment of this process`,
    `export ${name} where the worker runs, then: sluice retry`,
  );
}

/**
 * Splits `/path:key` as Kafka Connect's FileConfigProvider does. A path without a key stands for
 * the whole file.
 */
function splitFileRef(ref: string): [string, string | undefined] {
  const at = ref.lastIndexOf(':');
  return at > 0 ? [ref.slice(0, at), ref.slice(at + 1)] : [ref, undefined];
}

const lies = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);

/**
 * Reads a secret file. The path must be in an allowed folder both as written and after its symbolic
 * links are resolved, so that a link cannot lead out of the folder.
 */
function readSecretFile(
  path: string,
  hosts: readonly string[],
  rules: readonly SecretRule[],
): string {
  const folders = rules.filter((rule) => rule.kind === 'file');
  const asWritten = folders.filter((rule) => lies(path, rule.what));
  if (asWritten.length === 0 || path.split(sep).includes('..')) allow('file', path, [], hosts);
  let descriptor: number | undefined;
  try {
    const real = realpathSync(path);
    const inside = asWritten.filter(
      (rule) => lies(real, realpathSync(rule.what)) && !real.split(sep).includes(POD_IDENTITY),
    );
    allow('file', path, inside, hosts);
    descriptor = openSync(real, 'r');
    const about = fstatSync(descriptor);
    if (!about.isFile() || about.size > MAX_FILE_BYTES)
      throw Object.assign(new Error(), {
        code: `not a plain file of at most ${MAX_FILE_BYTES} bytes`,
      });
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      'permission-denied',
      `cannot read the secret file ${path}: ${(error as NodeJS.ErrnoException).code}`,
      `make ${path} readable by the worker, then: sluice retry`,
    );
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function pick(text: string, path: string, key: string | undefined): string {
  if (!key) return text.replace(/\r?\n$/, '');
  const line = text.split(/\r?\n/).find((l) => l.startsWith(`${key}=`));
  if (!line)
    throw new Problem(
      'permission-denied',
      `the secret file ${path} has no key ${key}`,
      `add ${key}=… to ${path}, then: sluice retry`,
    );
  return line.slice(key.length + 1);
}
