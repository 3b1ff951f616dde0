// Checks certificates and logins: which files belong together, and how Kafka Connect gets the
// passwords of the connectors.
import { tlsFilesOf, type SaslLogin, type TlsFiles } from '../domain/migration/cluster-access.js';
import type { PostgresAddress } from '../domain/migration/databases.js';
import type { SecretRef } from '../domain/migration/spec.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

/** Returns an issue if Kafka Connect cannot resolve the reference to a password at `path`. */
export const withoutKey = (secret: SecretRef, ...path: string[]): SpecIssue[] =>
  placeholderIssues(secret, ...path, 'passwordFrom');

/** Returns an issue if Kafka Connect cannot resolve the reference to a secret at `path`. */
export function placeholderIssues(secret: SecretRef, ...path: string[]): SpecIssue[] {
  const cause = 'file' in secret ? whyUnresolved(secret.file) : null;
  if (cause === null) return [];
  return [
    {
      path: ['spec', ...path, 'file'],
      message: `${cause}. Write { file: /folder/name.properties:password }, and in that file password=...`,
    },
  ];
}

/**
 * Returns why FileConfigProvider could not read `${file:PATH:KEY}`, or null. Without a key, Kafka
 * Connect would use the text of the reference itself as the password.
 */
function whyUnresolved(file: string): string | null {
  if (!/.:[^:/]+$/.test(file))
    return `"${file}" names no key, and Kafka's config providers can only read a key of a properties file`;
  return file.startsWith('/')
    ? null
    : `"${file}" is a relative path, and Kafka Connect would look for it in its own working directory`;
}

/** Finds why the connector could not log in to Kafka to read Debezium's signals. */
function signalLoginIssues(sasl: SaslLogin): SpecIssue[] {
  if (sasl.mechanism !== 'oauthbearer') return withoutKey(sasl.passwordFrom, 'kafka', 'sasl');
  if (!('command' in sasl.token))
    return placeholderIssues(
      sasl.token.clientSecretFrom,
      'kafka',
      'sasl',
      'token',
      'clientSecretFrom',
    );
  return [
    {
      path: ['spec', 'kafka', 'sasl', 'token', 'command'],
      message:
        "with snapshot: incremental, the connector itself logs in to Kafka to read signals, and Kafka Connect cannot run the worker's token command; use snapshot: initial, or a token endpoint",
    },
  ];
}

/** Finds why Flink could not log in to Kafka if it compares the tables. */
export function engineLoginIssues({ spec: { kafka, validation } }: ParsedSpec): SpecIssue[] {
  const own = ['validation', 'sasl'];
  const refuse = (path: readonly string[], message: string): SpecIssue[] => [
    { path: ['spec', ...path], message },
  ];
  if (validation.sasl && validation.engine !== 'flink')
    return refuse(
      own,
      'is used only with engine: flink; add engine: flink to validation, or omit sasl',
    );
  if (validation.sasl && !kafka.sasl)
    return refuse(
      own,
      'the brokers have no SASL login for Flink, because kafka.sasl is absent; omit sasl',
    );
  const sasl = validation.sasl ?? kafka.sasl;
  if (validation.engine !== 'flink' || !sasl) return [];
  if (sasl.mechanism !== 'oauthbearer')
    return withoutKey(sasl.passwordFrom, ...(validation.sasl ? own : ['kafka', 'sasl']));
  const because =
    'command' in sasl.token
      ? "Flink cannot run the worker's token command"
      : "Flink's Kafka connector lacks the libraries that ask a token endpoint";
  return refuse(
    ['validation', 'engine'],
    `the engine flink cannot log in with a token, because ${because}; give Flink a password in validation.sasl, or use engine embedded`,
  );
}

/** Finds logins that have no password, or whose password Kafka Connect could not resolve. */
export function loginIssues({ spec }: ParsedSpec): SpecIssue[] {
  const { source, target, connector, sink, kafka } = spec;
  const { passwordFrom } = source.postgres;
  const issues: SpecIssue[] = [];
  const overridden =
    connector.config['database.password'] ?? connector.config['connection.password'];
  if (passwordFrom && (overridden === undefined || (sink && !target)))
    issues.push(...withoutKey(passwordFrom, 'source', 'postgres'));
  if (kafka.sasl && connector.snapshot === 'incremental')
    issues.push(...signalLoginIssues(kafka.sasl));
  if (
    connector.config['database.user'] !== undefined &&
    connector.config['database.password'] === undefined
  )
    issues.push({
      path: ['spec', 'connector', 'config', 'database.user'],
      message: 'a separate login needs its own secret: add "database.password": "${env:NAME}"',
    });
  return issues;
}

/**
 * Finds certificates of a database login that do not belong together, or that no session would use.
 */
export function addressIssues(
  { sslmode, sslrootcert, sslcert, sslkey }: PostgresAddress,
  database: 'source' | 'target',
): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const add = (message: string, key: string): void =>
    void issues.push({ path: ['spec', database, 'postgres', key], message });
  if ((sslcert === undefined) !== (sslkey === undefined))
    add(
      'sslcert and sslkey belong together; give both, or omit both',
      sslcert ? 'sslcert' : 'sslkey',
    );
  if (sslmode === 'disable' && (sslrootcert ?? sslcert))
    add('sslmode disable uses no certificate, so omit it', sslrootcert ? 'sslrootcert' : 'sslcert');
  return issues;
}

/**
 * Finds certificates that do not belong together, and certificates and addresses of brokers that no
 * connection would use.
 */
export function certificateIssues({ spec }: ParsedSpec): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const add = (message: string, ...path: string[]): void =>
    void issues.push({ path: ['spec', ...path], message });
  const pair = ({ cert, key }: TlsFiles, ...path: string[]): void => {
    if ((cert === undefined) !== (key === undefined))
      add('cert and key belong together; give both, or omit both', ...path, cert ? 'cert' : 'key');
  };
  issues.push(...addressIssues(spec.source.postgres, 'source'));
  const { connector, kafka } = spec;
  pair(tlsFilesOf(kafka) ?? {}, 'kafka', 'tls');
  pair(connector.tls ?? {}, 'connector', 'tls');
  if (connector.tls && connector.url?.startsWith('http:'))
    add('certificates are only used with an https URL', 'connector', 'tls');
  if (connector.brokers && connector.snapshot !== 'incremental')
    add(
      'Sluice uses these brokers only with snapshot: incremental; omit them',
      'connector',
      'brokers',
    );
  return issues;
}
