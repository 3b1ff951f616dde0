// Prepares the statements of a Flink SQL pipeline. It fills in placeholders, splits the text at
// semicolons, and names the jobs so that Sluice can find them again.
import { capturesOf } from '../domain/capture/index.js';
import { flinkJobs } from '../domain/pipelines/index.js';
import { namesOf } from '../domain/migration/names.js';
import { splitStatements, startsJob } from '../domain/pipelines/split-statements.js';
import type { MigrationSpec, SecretRef } from '../domain/migration/spec.js';

export interface FlinkPlan {
  /** Definitions and settings (such as `SET`), in the order of the pipeline's SQL. */
  readonly setup: readonly string[];
  /** Statements that each start one job. */
  readonly jobs: readonly { readonly name: string; readonly sql: string }[];
}

/**
 * Returns the statements of the pipeline. Throws an Error if a statement or placeholder cannot be
 * used, or if no statement starts a job.
 */
export function flinkPlan(migration: MigrationSpec, generation: number): FlinkPlan {
  const { statements } = migration.spec.pipeline!;
  const text = fillIn(statements!.sql, migration, generation);
  const setup: string[] = [];
  const inserts: string[] = [];
  for (const sql of splitStatements(text)) {
    if (startsJob(sql)) inserts.push(sql);
    else if (/^(create|set|use|load|add|reset|drop|alter)\b/i.test(sql)) setup.push(sql);
    else
      throw new Error(
        `"${sql.slice(0, 60)}" cannot be used in a pipeline: expected CREATE, SET, INSERT or EXECUTE STATEMENT SET`,
      );
  }
  if (inserts.length === 0)
    throw new Error('the statements start no job, because no statement is an INSERT');
  const names = flinkJobs(statements, namesOf(migration, generation));
  return { setup, jobs: inserts.map((sql, at) => ({ name: names[at]!, sql })) };
}

/** The config providers of Kafka's client. */
const PROVIDERS = new Set(['env', 'file', 'directory']);

/**
 * Returns the secrets that the statements refer to. Flink resolves them, so the worker never reads
 * them.
 */
export const secretsOfStatements = (text: string): SecretRef[] =>
  [...text.matchAll(/\$\{(env|file|directory):([^}]+)\}/g)].map(([, kind, name]) =>
    kind === 'env' ? { env: name! } : { file: kind === 'file' ? name! : name!.replace(':', '/') },
  );

/**
 * Replaces the placeholders `${topic:public.orders}`, `${output}`, `${brokers}`, `${group}` and
 * `${stage:NAME}`. In Flink SQL, references to secrets stay, because Kafka's client in Flink
 * resolves them.
 */
export function fillIn(text: string, migration: MigrationSpec, generation: number): string {
  const { pipeline, kafka, batch } = migration.spec;
  const captures = capturesOf(migration, generation);
  const isFlink = pipeline!.type === 'flink-sql';
  return text.replaceAll(/\$\{([a-z]+)(?::([^}]*))?\}/g, (whole, kind: string, name?: string) => {
    if (isFlink && PROVIDERS.has(kind) && name !== undefined) return whole;
    if (kind === 'brokers') return kafka.brokers.join(',');
    if (kind === 'output') return pipeline!.output.topic;
    if (kind === 'group') return pipeline!.groups[0]!;
    if (kind === 'topic' && name !== undefined) {
      const capture = captures.find((c) => c.subject === name);
      if (!capture)
        throw new Error(
          `${whole}: ${name} is not captured; the captured subjects are ${captures.map((c) => c.subject).join(', ')}`,
        );
      return capture.topic;
    }
    if (kind === 'stage' && name !== undefined) {
      const stage = batch?.stages.find((s) => s.name === name);
      if (stage) return stage.topic;
      throw new Error(`${whole}: batch.stages has no ${name}`);
    }
    throw new Error(
      `${whole} is not a placeholder; expected \${topic:schema.table}, \${output}, \${brokers}, \${group}, \${stage:NAME}, or a reference to a secret such as \${env:NAME}`,
    );
  });
}
