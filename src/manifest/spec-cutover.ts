// Defines the keys of `cutover`. They say who approves, how long the hold may last, which writes
// are refused, what the final window compares, and how consumers are switched.
import { z } from 'zod';
import {
  duration,
  durationBetween,
  httpUrl,
  instant,
  roleName,
  tableName,
  unique,
} from './spec-parts.js';

const finalResult = z
  .union(
    [
      z.literal('fenced'),
      z.strictObject({
        recent: duration.describe(
          'The maximum age that the earlier comparison of the results may have at the commit. The age counts from the beginning of its window.',
        ),
      }),
    ],
    'expected fenced, or { recent: 30m } with the allowed age',
  )
  .default('fenced')
  .describe(
    'Where the results are compared for the last time: under the fence, or in an exact window before the fence.',
  );

const approval = z.strictObject({
  quorum: z.int().min(1).max(10).default(1).describe('The number of people who must approve.'),
  approvers: z
    .array(z.string().min(1))
    .refine(unique, 'a person is named twice')
    .default([])
    .describe(
      'The people who may approve, each with a signature. If the list is empty, anyone may approve without a signature.',
    ),
  notStarter: z
    .boolean()
    .default(false)
    .describe('If true, the person who started the migration cannot approve it.'),
  expires: durationBetween('1s', '3650d')
    .default('24h')
    .describe('The time for which an approval is valid.'),
  evidenceMaxAge: durationBetween('1s', '3650d')
    .default('24h')
    .describe('The maximum age of the evidence when an approval arrives.'),
  notBefore: instant
    .nullable()
    .default(null)
    .describe('The time before which no cut-over begins, in ISO form with an offset.'),
  notAfter: instant
    .nullable()
    .default(null)
    .describe('The time after which no cut-over begins, in ISO form with an offset.'),
});

const route = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('none').describe('Sluice switches nothing; you switch the consumers.'),
  }),
  z.strictObject({
    type: z.literal('postgres-view').describe('Consumers read a view, and Sluice replaces it.'),
    view: tableName.describe('The view that consumers read.'),
    batch: tableName.describe('The table that the view reads before the cut-over.'),
    stream: tableName.describe('The table that the view reads after the cut-over.'),
  }),
  z.strictObject({
    type: z
      .literal('postgres-table')
      .describe(
        'Consumers read one table, which the batch writes to until the commit and the stream afterwards.',
      ),
    table: tableName.describe(
      'The table that the batch writes to first and the stream afterwards.',
    ),
    batchRole: roleName.describe('The role with which the batch writes to the table.'),
    streamRole: roleName.describe('The role with which the stream writes to the table.'),
  }),
  z.strictObject({
    type: z.literal('http').describe('Your own service switches the consumers on request.'),
    url: httpUrl.describe(
      'The URL to which Sluice sends a PUT to switch the side, and a GET to read the current side.',
    ),
  }),
]);

export const cutover = z.strictObject({
  approval: approval.prefault({}).describe('Who must approve the cut-over, and when it may begin.'),
  maxHold: durationBetween('1s', '24d')
    .default('60s')
    .describe(
      'The longest hold, from the pause of the batch to the commit; the fence also expires this long after it began.',
    ),
  fence: z
    .enum(['result', 'source'])
    .default('result')
    .describe(
      'The writes that are refused during the hold. `source` refuses all writes to the source tables. `result` refuses none of them, and a run of the batch prevents the commit.',
    ),
  finalResult,
  route: route
    .default({ type: 'none' })
    .describe('What consumers read, and how Sluice switches it.'),
});
