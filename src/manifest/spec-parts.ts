// Defines small shapes that several parts of the spec share: names, durations, secrets, SQL, URLs.
import { z } from 'zod';
import { DURATION_PATTERN, SIZE_PATTERN, durationMs } from '../domain/values/duration.js';
import { ZONE_PATTERN } from '../domain/migration/task-queues.js';
import { parseTableName } from '../domain/migration/names.js';
import { sqlProblem, urlProblem } from './forbidden-credentials.js';

/** Accepts a text that matches `pattern`. Refuses all other values with the message `expected`. */
const textLike = (pattern: RegExp, expected: string) => z.string(expected).regex(pattern, expected);

export const duration = textLike(DURATION_PATTERN, 'expected a duration like 30s, 5m, 2h or 7d');

/** Accepts a duration from `least` to `most`. */
export const durationBetween = (least: string, most: string) =>
  duration.refine(
    (text) =>
      !DURATION_PATTERN.test(text) ||
      (durationMs(text) >= durationMs(least) && durationMs(text) <= durationMs(most)),
    `must be between ${least} and ${most}`,
  );

export const size = textLike(SIZE_PATTERN, 'expected a size like 512MiB or 10GiB');

export const decimal = textLike(/^\d+(\.\d+)?$/, 'expected a decimal as a string, like "0.01"');

export const instant = z.iso.datetime({
  offset: true,
  error: 'expected an ISO time with offset, like 2026-11-22T18:00:00Z',
});

export const secretRef = z.union(
  [
    z.strictObject({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
        .describe("The worker's environment variable that contains the secret."),
    }),
    z.strictObject({
      file: z
        .string()
        .min(1)
        .describe(
          'The absolute path of the file that contains the secret, on the worker. With `path:key`, the secret is the value in its line `key=value`.',
        ),
    }),
  ],
  { error: 'expected a reference to a secret: { env: NAME } or { file: path }' },
);

/** Postgres truncates longer names without an error, so a name could mean another table. */
const LONGEST_NAME = 63;

export const tableName = z.string().superRefine((text, context) => {
  try {
    const { schema, table } = parseTableName(text);
    for (const name of [schema, table].filter((one) => Buffer.byteLength(one) > LONGEST_NAME))
      context.addIssue({
        code: 'custom',
        message: `"${name}" has more than ${LONGEST_NAME} bytes, which is the limit of a name in Postgres`,
      });
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

export const identifier = z.string().min(1).max(63);

export const unique = (list: readonly unknown[]): boolean => new Set(list).size === list.length;

export const keyColumns = z.array(identifier).min(1).refine(unique, 'a column is named twice');

export const path = z
  .string()
  .regex(/^\/[^\0\r\n]{1,1000}$/, 'expected the absolute path of a file');

/**
 * Refuses a reference such as `${env:NAME}` in a text that a connector sends to a server. Kafka
 * Connect would replace the reference with a secret.
 */
export const withoutReference = <T extends z.ZodType<string>>(schema: T) =>
  schema.refine((text) => !text.includes('${'), {
    error:
      'must not contain ${, because Kafka Connect would replace such a reference with a secret',
  });

/**
 * Accepts a host. Refuses characters that end the host in a URL, because Sluice puts the text into
 * URLs.
 */
export const host = withoutReference(
  z
    .string()
    .regex(
      /^[^\s/?#&@=\\'"]{1,255}$/,
      'expected a host name or an address, without scheme, user, password or path',
    ),
);

export const postgres = z.strictObject({
  host: host.describe('The host name or address of the database server.'),
  port: z.int().min(1).max(65535).default(5432).describe('The TCP port of the database server.'),
  database: withoutReference(z.string().min(1)).describe('The name of the database.'),
  user: withoutReference(z.string().min(1)).describe('The role with which the worker logs in.'),
  passwordFrom: secretRef
    .optional()
    .describe("The place of that role's password. Without it, no password is sent."),
  sslmode: z
    .enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
    .default('prefer')
    .describe('The TLS mode of connections to the database, with the meaning of libpq.'),
  sslrootcert: path
    .optional()
    .describe("The PEM file with the certificate authority of the server's certificate."),
  sslcert: path.optional().describe('The PEM file with the client certificate.'),
  sslkey: path.optional().describe('The PEM file with the key of the client certificate.'),
});

/** Refuses a text that contains a credential. `problem` returns the reason, or null. */
export const withoutCredentials = (text: z.ZodString, problem: (text: string) => string | null) =>
  text.superRefine((value, context) => {
    const message = problem(value);
    if (message) context.addIssue({ code: 'custom', message });
  });

export const sqlText = withoutCredentials(z.string().min(1).max(65_536), sqlProblem);

// The CLI replaces `{ file: ... }` with the text before this schema checks the spec. The schema
// refuses a workflow input that still has `file`.
export const sql = z.strictObject(
  { sql: sqlText.describe('The SQL text itself, of at most 65,536 characters.') },
  { error: 'expected { sql: ... } (or { file: ... }, which the CLI replaces by the text)' },
);

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http(s) URL' })
  .superRefine((value, context) => {
    const message = urlProblem(value);
    if (message) context.addIssue({ code: 'custom', message });
  });

export const action = z.union(
  [sql, z.strictObject({ url: httpUrl.describe('The URL that gets a POST request.') })],
  {
    error: 'expected { sql: ... } or { url: ... }',
  },
);

/** The format of the records that a pipeline writes into a topic. */
export const recordFormat = z.enum(['json', 'avro', 'json-schema', 'protobuf']);

export const topic = z.string().regex(/^[a-zA-Z0-9._-]{1,200}$/, 'expected a Kafka topic name');

/** Accepts an unquoted name. Characters that a connection's options cannot carry are refused. */
export const roleName = z
  .string()
  .regex(/^[^\s\\'"]{1,63}$/, 'expected the name of a role, without spaces, quotes or backslashes');

export const labels = z
  .record(z.string(), z.string().max(255, 'expected at most 255 characters'))
  .default({})
  .refine(
    ({ zone }) => zone === undefined || ZONE_PATTERN.test(zone),
    'label zone: expected 1 to 40 of a-z and 0-9',
  )
  .describe('Your own labels. `team` becomes a search attribute; `zone` selects the workers.');
