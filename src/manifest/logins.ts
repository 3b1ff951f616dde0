// Checks how Kafka Connect gets the passwords of the connectors.
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

/**
 * Kafka's FileConfigProvider reads one key of a properties file: `${file:PATH:KEY}`. Without a key,
 * it uses the reference itself as the password.
 */
export function loginIssues({ spec }: ParsedSpec): SpecIssue[] {
  const { source, connector, sink } = spec;
  const { passwordFrom } = source.postgres;
  const issues: SpecIssue[] = [];
  const overridden =
    connector.config['database.password'] ?? connector.config['connection.password'];
  if (
    passwordFrom &&
    'file' in passwordFrom &&
    (overridden === undefined || sink) &&
    !/^\/.+:[^:/]+$/.test(passwordFrom.file)
  )
    issues.push({
      path: ['spec', 'source', 'postgres', 'passwordFrom', 'file'],
      message: `"${passwordFrom.file}" names no key, and Kafka Connect can only read a key of a properties file. Write { file: /folder/name.properties:password }, and in that file password=...`,
    });
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
