// Describes `spec.existing`: objects that already exist, which `sluice compare` reads or a
// migration adopts.
import { z } from 'zod';
import { identifier, topic } from './spec-parts.js';

export const existing = z.strictObject({
  topics: z
    .union([z.string().min(1), z.record(z.string(), topic)], {
      error: 'expected a pattern like shop.{schema}.{table}, or a topic for each table',
    })
    .optional()
    .describe(
      'The topics of the tables: a pattern with `{schema}` and `{table}`, or a topic for each table. By default, they follow `connector.topicPrefix`.',
    ),
  slot: identifier
    .optional()
    .describe(
      'The replication slot whose reader writes to the topics. A difference counts only after the reader has confirmed everything that the snapshot of the comparison sees.',
    ),
  publication: identifier
    .optional()
    .describe('The publication that the connector reads. `adopt` needs it.'),
  connector: z
    .string()
    .min(1)
    .optional()
    .describe('The connector that reads the slot. Its configuration is checked, never changed.'),
});
