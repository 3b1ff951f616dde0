// Plans a proof: checks the spec and the slice, and reads tables and foreign keys. Creates nothing.
import type pg from 'pg';
import { loadParser } from '../../assess/sql/analyse.js';
import { planSlice, sliceQuery, type SliceTable } from '../../assess/sql/slice.js';
import { readTable } from '../../clients/postgres/catalog.js';
import { readSource } from '../../clients/postgres/connection.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { runLogOf, type MigrationSpec } from '../../domain/migration/spec.js';
import {
  qualified,
  quoteLiteral,
  relation,
  specName,
  type TableName,
} from '../../domain/migration/names.js';
import { proofSpec, type ProofInput } from '../../domain/evidence/slice-proof.js';
import { formatProblem, parseSpecObject } from '../../manifest/parse.js';
import { planHash } from '../../manifest/build-plan.js';
import { resolve } from '../../domain/plan/resolve.js';
import type { Deps } from '../runtime/deps.js';

export interface ProofPlan {
  /**
   * The ref of the proof, in the same form as the ref of a migration's run. The spec in it has
   * separate names for everything that the proof creates.
   */
  readonly ref: MigrationRef;
  /**
   * The tables, in the spec's order. `from` is the text after FROM in a query, and selects the rows
   * of the table that belong to the slice.
   */
  readonly tables: readonly { readonly table: string; readonly from: string }[];
  /** The subject of the proof, with its query over the slice, its key and its topic. */
  readonly subject: {
    readonly name: string;
    readonly query: string;
    readonly key: readonly string[];
    readonly topic: string;
    /**
     * An SQL condition on the key that selects the pipeline's rows that belong to the slice. If
     * empty, it selects all rows.
     */
    readonly within: string;
  };
  /** The number of earlier batch runs that the proof also compares. */
  readonly runs: number;
}

const FOREIGN_KEYS = `
SELECT n.nspname AS schema, c.relname AS table,
  (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(f.conkey) WITH ORDINALITY k(num, at) JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.num) AS columns,
  (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(f.confkey) WITH ORDINALITY k(num, at) JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.num) AS refs
FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.contype = 'f' AND f.conrelid = `;

/** Plans a proof. Throws Problem `spec-invalid` if the spec or the slice cannot be used. */
export async function planProof(
  { secret }: Pick<Deps, 'secret'>,
  input: ProofInput,
  id: string,
  runKey: string,
): Promise<ProofPlan> {
  const { parsed, batch, stage } = acceptedSpec(input);
  await loadParser();
  const spec = proofSpec(parsed, id, input.stage);
  const relations = parsed.spec.source.tables.map(relation);
  const key = stage?.key ?? batch.result.key;
  const tables = await readSource(parsed, secret, async (client) => {
    const all: SliceTable[] = [];
    for (const { text } of relations) all.push(await sliceTable(client, text));
    return all;
  });
  const proven = spec.spec;
  const own = stage
    ? proven.batch!.stages[0]!
    : { query: batch.query, topic: proven.pipeline!.output.topic };
  try {
    const slice = planSlice(input.slice, tables, key);
    if (input.runs > 0 && !slice.isOfKey)
      throw new Error(
        "with --runs, the slice may use only columns of the result's key, because a run of the batch used every input row of a key",
      );
    const ref = {
      name: id,
      iteration: 1,
      generation: 1,
      workflowId: id,
      runKey,
      planHash: planHash(parsed),
      spec,
    };
    const sliced = relations.map(({ text, sql }, at) => {
      const condition = slice.conditions.get(tables[at]!.table);
      return { table: text, from: condition ? `${sql} WHERE ${condition}` : sql };
    });
    return {
      ref,
      tables: sliced,
      subject: {
        name: stage?.name ?? 'result',
        query: sliceQuery(own.query.sql, slice),
        key,
        topic: own.topic,
        within: slice.result,
      },
      runs: input.runs,
    };
  } catch (error) {
    throw new Problem(
      'spec-invalid',
      (error as Error).message,
      'name columns of the source tables or of the result\'s key: --slice "store_id IN (1, 2)"',
    );
  }
}

/**
 * Parses the spec. Throws Problem `spec-invalid` if a proof cannot use the spec. A proof needs a
 * batch, a pipeline, tables, and the stage that `--stage` names. With `--runs`, it also needs a run
 * log and closed keys.
 */
function acceptedSpec(input: ProofInput) {
  const refuse = (message: string): never => {
    throw new Problem('spec-invalid', message);
  };
  const result = parseSpecObject(input.spec);
  if (!result.ok)
    return refuse(
      `the spec has ${result.problems.length} problem(s): ${result.problems.map(formatProblem).join('; ')}`,
    );
  const parsed = result.spec;
  const { batch, pipeline, connector } = parsed.spec;
  if (connector.query) return refuse('a proof can replay only tables, not connector.query');
  if (!batch || !pipeline)
    return refuse('a proof compares a pipeline with a batch, so the spec needs both');
  const { refusesProof } = resolve({ spec: parsed, generation: 1 }).host;
  if (refusesProof !== null) return refuse(refusesProof);
  const stage = input.stage === null ? null : batch.stages.find((s) => s.name === input.stage);
  if (stage === undefined)
    return refuse(
      `batch.stages has no stage ${input.stage}; it has ${batch.stages.map((s) => s.name).join(', ') || 'none'}`,
    );
  const why = input.runs > 0 ? noRehearsal(parsed, input) : null;
  if (why) return refuse(`--runs ${input.runs}: ${why}`);
  return { parsed, batch, stage };
}

function noRehearsal({ spec }: MigrationSpec, input: ProofInput): string | null {
  if (input.stage !== null) return 'a stage has no batch runs, so omit --stage';
  if (!runLogOf(spec.batch)) return 'batch.runs names no run log';
  return spec.validation.closedKeys === ''
    ? 'validation.closedKeys does not say which keys a run closes'
    : null;
}

async function sliceTable(client: pg.ClientBase, table: string): Promise<SliceTable> {
  const catalog = await readTable(client, table);
  if (!catalog)
    throw new Problem('spec-invalid', `table ${table} does not exist`, 'correct source.tables');
  const keys = await client.query<TableName & { columns: string; refs: string }>(
    `${FOREIGN_KEYS}${quoteLiteral(qualified(catalog.name))}::regclass`,
  );
  return {
    table: specName(catalog.name),
    columns: catalog.columns.map((c) => c.name),
    key: catalog.key,
    parents: keys.rows.map((row) => ({
      table: specName(row),
      columns: JSON.parse(row.columns) as string[],
      references: JSON.parse(row.refs) as string[],
    })),
  };
}
