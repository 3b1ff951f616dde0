// Parses the portfolio file, which lists batch processes and what their owners declare about them.
// Every unknown key is an error with its place.
import { z } from 'zod';
import { issuesOf, parseText, type Checked, type Parsed } from '../manifest/document.js';
import { duration, identifier, postgres, sql, tableName } from '../manifest/spec-parts.js';
import { intervalMs } from './schedule.js';

const grade = z.enum(['high', 'medium', 'low']);

const schedule = z.string().superRefine((text, context) => {
  if (intervalMs(text) === null)
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a schedule: expected five cron fields, @hourly, @daily, @weekly, @monthly or "every 15m"`,
    });
});

const consumer = z.strictObject({
  name: z.string().min(1),
  /** The frequency at which the consumer reads the result. */
  reads: z.enum(['continuous', 'minutely', 'hourly', 'daily', 'weekly', 'monthly']),
  through: z.enum(['table', 'view', 'file', 'api', 'email']).default('table'),
});

const process = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9-]{1,40}$/,
      'expected [a-z0-9-]{1,40}, because it becomes metadata.name of a migration',
    ),
  description: z.string().optional(),
  owner: z.string().optional(),
  schedule: schedule.optional(),
  runTime: duration.optional(),
  /** The SELECT, script, or CREATE FUNCTION text of the batch. */
  query: sql.optional(),
  result: z.strictObject({ table: tableName, key: z.array(identifier).default([]) }).optional(),
  runs: z.strictObject({ table: tableName }).optional(),
  consumers: z.array(consumer).optional(),
  freshness: z.strictObject({ wanted: duration, value: grade }).optional(),
  criticality: grade.optional(),
  /** Actions of a run other than filling its result, such as sending mail or calling services. */
  sideEffects: z.array(z.string().min(1)).optional(),
  onCall: z.enum(['around-the-clock', 'office-hours', 'nobody']).optional(),
  cdc: z.enum(['allowed', 'forbidden']).optional(),
});

export const portfolioSchema = z.strictObject({
  $schema: z.string().optional(),
  apiVersion: z.literal('sluice.dev/v1alpha1'),
  kind: z.literal('Portfolio'),
  metadata: z.strictObject({ name: z.string().min(1) }),
  spec: z.strictObject({
    source: z.strictObject({ postgres }).optional(),
    processes: z
      .array(process)
      .min(1, 'list at least one process')
      .refine(
        (list) => new Set(list.map((p) => p.name)).size === list.length,
        'two processes have the same name',
      ),
  }),
});

export type Portfolio = z.output<typeof portfolioSchema>;
export type Process = Portfolio['spec']['processes'][number];

/**
 * Parses a portfolio. `inline` returns the text of the file that a `file:` entry names. The path is
 * relative to the portfolio.
 */
export function parsePortfolio(
  text: string,
  file: string,
  inline: (path: string) => string,
): Parsed<Portfolio> {
  return parseText(text, file, inline, (value): Checked<Portfolio> => {
    const parsed = portfolioSchema.safeParse(value);
    return parsed.success
      ? { ok: true, value: parsed.data }
      : { ok: false, issues: issuesOf(parsed.error, portfolioSchema) };
  });
}
