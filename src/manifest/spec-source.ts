// Defines the shape of the legacy side: the source database, a separate target, and the batch.
import { z } from 'zod';
import { parseTableName, qualified } from '../domain/migration/names.js';
import {
  action,
  durationBetween,
  keyColumns,
  postgres,
  recordFormat,
  size,
  sql,
  tableName,
  topic,
  unique,
} from './spec-parts.js';

/** Returns the name in its quoted form, so that two spellings of one name are equal. */
function asQualified(text: string): string {
  try {
    return qualified(parseTableName(text));
  } catch {
    return text; // `tableName` reports it
  }
}

const limits = z.strictObject({
  maxBackends: z
    .int()
    .min(1)
    .max(32)
    .default(2)
    .describe(
      'The number of connections that read tables at the same time during the initial load `copy`. A window reads over at most two.',
    ),
  rowsPerSecond: z
    .int()
    .min(0)
    .default(0)
    .describe('The largest rate at which tables are read, in rows per second; 0 means no limit.'),
  windows: z
    .int()
    .min(1)
    .max(32)
    .optional()
    .describe(
      'The largest number of windows that read this server at the same time, over all migrations of the ledger. The default is 4. A final window never waits, because the hold lasts until it ends.',
    ),
  // Postgres counts 0 as no limit, and accepts at most 2^31 ms
  statementTimeout: durationBetween('1s', '24d')
    .default('10m')
    .describe("The time after which Postgres cancels one of Sluice's statements."),
});

const walBudget = z.strictObject({
  bytes: size
    .refine(
      (text) => !/^0+[A-Z]/i.test(text),
      'must be more than 0, because every slot retains some WAL',
    )
    .default('10GiB')
    .describe('The amount of WAL that the replication slot may retain.'),
  onExhaustion: z
    .enum(['drop-slot', 'block'])
    .default('drop-slot')
    .describe(
      'What Sluice does if the slot retains more than `bytes` before the commit. With `drop-slot`, it drops the slot and blocks the run. With `block`, it keeps the slot and only raises an alarm; the run continues.',
    ),
});

export const source = z.strictObject({
  postgres: postgres.describe('The connection to the legacy Postgres database.'),
  tables: z
    .array(tableName)
    .min(1, 'name at least one table')
    .refine((tables) => unique(tables.map(asQualified)), 'a table is named twice')
    .describe(
      'The tables that the batch reads, as `schema.table`. Write a name in double quotes if it has other characters than a-z, 0-9, _ and $.',
    ),
  limits: limits.prefault({}).describe('Limits of the load that Sluice puts on the source.'),
  walBudget: walBudget
    .prefault({})
    .describe(
      'How much WAL the migration may retain on the source, and what happens at that limit.',
    ),
});

export const target = z.strictObject({
  postgres: postgres.describe('The connection to the database of the result.'),
});

const stage = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'expected [a-z0-9-]{1,40}')
    .describe('The name of the stage, which windows show as their subject.'),
  query: sql.describe('One SELECT that computes the rows of the stage.'),
  key: keyColumns.describe('The columns that identify a row of the stage.'),
  topic: topic.describe('The topic into which the pipeline writes the rows of the stage.'),
  format: recordFormat
    .optional()
    .describe(
      'The format of the records of the stage; json if absent. The others need a registry.',
    ),
});

const runs = z.union([
  z.strictObject({
    table: tableName.describe(
      'The run log: a table with the columns run_id, cut_at (the time up to which the run read its input), started_at and finished_at. The times are timestamp with time zone.',
    ),
  }),
  z.strictObject({
    application: z
      .string()
      .regex(
        /^[\x20-\x7e]{1,63}$/,
        'expected 1 to 63 printable ASCII characters, because Postgres replaces or cuts off all others',
      )
      .describe(
        "The application_name of the batch's sessions. Sluice sees a run only while its session is active.",
      ),
  }),
]);

export const batch = z.strictObject({
  result: z
    .strictObject({
      table: tableName.describe('The table that the batch fills, as `schema.table`.'),
      key: keyColumns.describe('The columns that identify a row of the result.'),
    })
    .describe('The result of the batch process.'),
  query: sql.describe('One SELECT that computes the same rows as the batch.'),
  stages: z
    .array(stage)
    .default([])
    .describe("The pipeline's intermediate results, in its order. Each is compared on its own."),
  runs: runs
    .optional()
    .describe('Where Sluice looks for runs of the batch: in a run log, or in sessions.'),
  pause: action
    .optional()
    .describe(
      'Keeps the batch from running during the hold. `$1` is the time at which the pause must end.',
    ),
  resume: action.optional().describe('Lets the batch run again after a pause.'),
  retire: action.optional().describe('Switches the batch off in the phase complete.'),
});
