// Writes the worker's log: text or JSON on stderr, with the migration's name on each line that
// belongs to a migration.
import { DefaultLogger, type LogEntry, type Logger } from '@temporalio/worker';
import { nameOf } from '../domain/migration/workflow-ids.js';
import type { LogSettings } from './process-settings.js';
import { printable } from '../domain/values/foreign-text.js';

/**
 * The details of an entry that a line shows. Other details, such as the tokens of tasks, are noise.
 */
const SHOWN = ['workflowType', 'activityType', 'attempt', 'durationMs', 'taskQueue'] as const;

export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly migration?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  readonly error?: string;
  readonly [detail: string]: unknown;
}

/** Returns an entry as the fields of one line. Keeps the message of an error, without its stack. */
export function lineOf({ level, message, timestampNanos, meta = {} }: LogEntry): LogLine {
  const { workflowId, runId, workflowRunId, error } = meta as Record<string, unknown>;
  const details = SHOWN.flatMap((name) => (meta[name] === undefined ? [] : [[name, meta[name]]]));
  const id = typeof workflowId === 'string' ? workflowId : undefined;
  const run = runId ?? workflowRunId;
  return {
    time: new Date(Number(timestampNanos / 1_000_000n)).toISOString(),
    level,
    message,
    ...(id === undefined ? {} : { migration: nameOf(id), workflowId: id }),
    ...(typeof run === 'string' ? { runId: run } : {}),
    ...(Object.fromEntries(details) as object),
    ...(error instanceof Error ? { error: `${error.name}: ${error.message}` } : {}),
  };
}

/** Formats a line as text: `time LEVEL [migration] message (details)`. */
export function textOf({ time, level, message, migration, ...details }: LogLine): string {
  const rest = Object.entries(details).map(([name, value]) => `${name}=${String(value)}`);
  const place = migration === undefined ? '' : ` [${migration}]`;
  return printable(
    `${time} ${level}${place} ${message}${rest.length > 0 ? ` (${rest.join(' ')})` : ''}`,
  );
}

export function createLogger(
  { level, format }: LogSettings,
  write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): Logger {
  return new DefaultLogger(level, (entry) => {
    const line = lineOf(entry);
    write(format === 'json' ? printable(JSON.stringify(line)) : textOf(line));
  });
}
