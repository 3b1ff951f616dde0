// Writes starting points: drafts of a pipeline that a person completes. One draft is in Flink SQL,
// one in ksqlDB, and one is a skeleton for Kafka Streams. A fourth file has the stages for the
// spec. In Flink SQL, a part that cannot be translated becomes a comment with the original query.
import type { ColumnFacts, TableFacts } from '../facts.js';
import type { Process } from '../portfolio.js';
import { parseTableName, tableTopic } from '../../domain/migration/names.js';
import type { Fields } from '../sql/ast.js';
import { blockTrees } from '../sql/block-trees.js';
import { columnsOf, type Block } from '../sql/blocks.js';
import { FlinkDialect, quoted } from './dialect.js';
import { Untranslatable, castType, flinkType } from './flink-types.js';
import {
  type StartingPoint,
  type Context,
  bare,
  viewName,
  commented,
  instants,
} from './context.js';
import { ksqldb } from './ksqldb-text.js';

/**
 * Returns the drafts, each as a file. `tables` contains the measured inputs of the batch, and
 * `result` contains its measured output. Callers MUST await `loadParser` first. Throws an Error if
 * the query is not one SELECT.
 */
export function startingPoints(
  process: Process,
  tables: readonly TableFacts[],
  result: TableFacts | null,
): StartingPoint[] {
  const parsed = process.query ? blockTrees(process.query.sql) : null;
  if (!parsed)
    throw new Error(
      'the batch is not one SELECT; write its computation as one SELECT, as batch.query requires',
    );
  const key = process.result?.key.length ? process.result.key : (parsed.blocks.at(-1)?.key ?? []);
  const { blocks, trees } = parsed;
  const context: Context = { process, tables, result, blocks, trees, key };
  return [flink(context), ksqldb(context), streams(context), stages(context)];
}

function flink(context: Context): StartingPoint {
  const { process, tables, blocks, trees, key } = context;
  const dialect = new FlinkDialect(trees, viewName, instants(context));
  const open: string[] = [];
  const parts = tables.map((table) => flinkTable(table, open));
  for (const block of blocks.slice(0, -1))
    parts.push(
      translated(
        block,
        () => {
          const select = trees.selects.get(block.name)!;
          if (columnsOf(select).join() !== block.columns.join())
            throw new Untranslatable('a CTE that names its columns');
          return `CREATE TEMPORARY VIEW ${quoted(viewName(block.name))} AS\n${dialect.select(select)};`;
        },
        open,
      ),
    );
  const last = blocks.at(-1)!;
  const columns = last.columns.map(
    (name) => `${quoted(name)} ${outputType(context, last, name, open)}`,
  );
  parts.push(`CREATE TABLE sluice_output (\n  ${columns.join(',\n  ')},\n  PRIMARY KEY (${key.map(quoted).join(', ')}) NOT ENFORCED\n) WITH (
  'connector' = 'upsert-kafka', 'topic' = '\${output}', 'properties.bootstrap.servers' = '\${brokers}',
  'key.format' = 'json', 'value.format' = 'json', 'value.json.encode.decimal-as-plain-number' = 'true');`);
  parts.push(
    translated(
      last,
      () => `INSERT INTO sluice_output\n${dialect.select(trees.selects.get(last.name)!)};`,
      open,
    ),
  );
  const head = `-- ${process.name} in Flink SQL, for pipeline.type: flink-sql. Sluice replaces each \${…}.\n-- Read it before you run it, then: sluice prove -f migration.yaml --slice "…"`;
  return { file: 'pipeline.sql', text: `${[head, ...parts].join('\n\n')}\n`, open };
}

/** Translates the block, or leaves the original block as a comment. */
function translated(block: Block, write: () => string, open: string[]): string {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof Untranslatable)) throw error;
    open.push(`${block.name}: ${error.message} must be written by hand`);
    return `-- OPEN ${block.name}: ${error.message} has no equivalent here. The original:\n${commented(block.sql ?? '(part of the query around it)')}`;
  }
}

/**
 * Returns the SQL for a table that reads the topic's `after` images as upserts. Also returns the
 * SQL for a view of that table, with the types that the query expects.
 */
function flinkTable({ table, columns, key }: TableFacts, open: string[]): string {
  const name = bare(table);
  const typed = columns.flatMap((c) => {
    try {
      return [
        {
          name: c.name,
          type: columnType(c),
          raw: rawType(c.type),
          isKey: key.includes(c.name),
        },
      ];
    } catch {
      open.push(`${table}.${c.name}: type ${c.type} is left out`);
      return [];
    }
  });
  const keys = typed.filter((c) => c.isKey);
  const rest = typed.filter((c) => !c.isKey);
  const value = (c: (typeof typed)[number]): string => {
    const raw = c.isKey ? quoted(c.name) : `\`after\`.${quoted(c.name)}`;
    if (c.type.startsWith('TIMESTAMP'))
      return `CAST(REPLACE(REPLACE(${raw}, 'T', ' '), 'Z', '') AS TIMESTAMP(6))`;
    if (c.type === 'DATE') return `CAST(REPLACE(${raw}, 'Z', '') AS DATE)`;
    return c.type === c.raw ? raw : `CAST(${raw} AS ${c.type})`;
  };
  return `CREATE TABLE ${quoted(`${name}_topic`)} (${keys.map((c) => `${quoted(c.name)} ${c.raw}`).join(', ')}, \`after\` ROW<${rest.map((c) => `${quoted(c.name)} ${c.raw}`).join(', ')}>, PRIMARY KEY (${keys.map((c) => quoted(c.name)).join(', ')}) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '\${topic:${table}}', 'properties.bootstrap.servers' = '\${brokers}', 'properties.group.id' = '\${group}',
  'properties.isolation.level' = 'read_committed', 'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY');
CREATE TEMPORARY VIEW ${quoted(name)} AS
SELECT ${typed.map((c) => `${value(c)} AS ${quoted(c.name)}`).join(', ')} FROM ${quoted(`${name}_topic`)} WHERE \`after\` IS NOT NULL;`;
}

/** Returns Flink's type for a column, with the precision and scale that it declares. */
const columnType = ({ type, declared }: ColumnFacts): string =>
  flinkType(type, (/\((.*)\)$/.exec(declared)?.[1] ?? '').split(',').filter(Boolean).map(Number));

/**
 * Returns Flink's type for the JSON values that Debezium writes with Sluice's settings. Debezium
 * then writes decimals and times as texts.
 */
const rawType = (type: string): string =>
  /^(int[248]|bool|float[48])$/.test(type) ? flinkType(type) : 'STRING';

/**
 * Returns the type of an output column. The declaration of the result table comes first, then a
 * cast or a count in the query. Last come the tables' columns of this name, if all of them have one
 * type. If none of these shows the type, it is a guess.
 */
function outputType(context: Context, block: Block, name: string, open: string[]): string {
  try {
    const declared = context.result?.columns.find((c) => c.name === name);
    if (declared && !hasNoScale(declared)) return columnType(declared);
    const shown = shownType(context, block, name);
    if (shown !== null) return shown;
  } catch (error) {
    if (!(error instanceof Untranslatable)) throw error;
  }
  open.push(`output column ${name}: its type is a guess (DECIMAL(38, 10))`);
  return 'DECIMAL(38, 10)';
}

/** A numeric without a scale says nothing about the digits that the batch writes. */
const hasNoScale = ({ declared }: ColumnFacts): boolean => declared === 'numeric';

function shownType({ trees, tables }: Context, block: Block, name: string): string | null {
  const select = trees.selects.get(block.name)! as {
    targetList?: readonly { ResTarget?: { val?: Record<string, unknown> } }[];
  };
  const value = select.targetList?.[block.columns.indexOf(name)]?.ResTarget?.val ?? {};
  if ('TypeCast' in value) return castType(value['TypeCast'] as Fields);
  if (
    'FuncCall' in value &&
    new FlinkDialect(trees, viewName).expression(value).startsWith('COUNT')
  )
    return 'BIGINT';
  const types = new Set(
    tables.flatMap((t) => t.columns.filter((c) => c.name === name).map(columnType)),
  );
  return types.size === 1 ? [...types][0]! : null;
}

function streams({ process, tables, blocks }: Context): StartingPoint {
  const className = process.name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
  const sources = tables.map(
    (t) =>
      `    KTable<String, String> ${variable(bare(t.table))} = builder.table(prefix + "${tableTopic('', parseTableName(t.table))}", Consumed.as("read-${processor(bare(t.table))}"));`,
  );
  const steps = blocks.map((b) => {
    const first = variable(viewName(b.reads[0] ?? ''));
    const todo = b.operators.map(
      (o) => `    // ${o.kind}${o.key.length > 0 ? ` by ${o.key.join(', ')}` : ''}: ${o.detail}`,
    );
    return [
      `    // Stage ${b.name}, from ${b.reads.join(', ') || 'nothing'}.`,
      ...todo,
      `    KTable<String, String> ${variable(viewName(b.name))} = ${first || 'null'}.mapValues((key, value) -> { throw new UnsupportedOperationException("write stage ${b.name}"); }, Named.as("${b.name}"));`,
    ].join('\n');
  });
  const last = variable(viewName(blocks.at(-1)!.name));
  const text = `// ${process.name} as a Kafka Streams topology: named processors, one step per stage of the query. Each step throws until you write it.
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;

public final class ${className} {
  private ${className}() {}

  public static Topology build(String prefix, String output) {
    StreamsBuilder builder = new StreamsBuilder();
${sources.join('\n')}
${steps.join('\n')}
    ${last}.toStream(Named.as("changes")).to(output, Produced.as("write-output"));
    return builder.build();
  }
}
`;
  return {
    file: `${className}.java`,
    text,
    open: blocks.map((b) => `${b.name}: its step throws until you write it`),
  };
}

/** Kafka Streams allows only these characters in the name of a processor. */
const processor = (name: string): string => name.replaceAll(/[^a-zA-Z0-9._-]/g, '_');

const variable = (name: string): string =>
  name.replaceAll(/[^\p{L}\p{N}$]+([\p{L}\p{N}$]?)/gu, (_all, letter: string) =>
    letter.toUpperCase(),
  );

/** Returns the stages that can be validated separately: they have a key and run by themselves. */
function stages({ process, blocks }: Context): StartingPoint {
  const usable = blocks.slice(0, -1).filter((b) => b.key.length > 0 && b.sql !== null);
  const text = usable
    .map(
      (b) =>
        `  - name: ${b.name}\n    key: [${b.key.join(', ')}]\n    topic: ${process.name}.${b.name}\n    query:\n      sql: |\n${b.sql!.replaceAll(/^/gm, '        ')}`,
    )
    .join('\n');
  return {
    file: 'stages.yaml',
    text: `# For spec.batch of the migration: each stage is compared separately, so that a difference names the first wrong stage.\nstages:${text === '' ? ' []' : `\n${text}`}\n`,
    open: [],
  };
}
