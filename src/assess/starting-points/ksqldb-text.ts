// Writes the starting point (the draft of a pipeline) in ksqlDB SQL.
import type { TableFacts } from '../facts.js';
import { quoted } from './dialect.js';
import { type StartingPoint, type Context, bare, viewName, commented } from './context.js';

export function ksqldb({ process, tables, blocks }: Context): StartingPoint {
  const head = `-- ${process.name} in ksqlDB: one persistent query per stage. Write the columns and joins of each query after the SQL in the comment above it. ksqlDB has neither sub-queries nor GROUP BY by position.`;
  const sources = tables.map(
    (
      t,
    ) => `CREATE TABLE ${quoted(bare(t.table))} (${t.key.map((k) => `${quoted(k)} ${ksqlType(t, k)} PRIMARY KEY`).join(', ')}, after STRUCT<${t.columns
      .filter((c) => !t.key.includes(c.name))
      .map((c) => `${quoted(c.name)} ${ksqlType(t, c.name)}`)
      .join(', ')}>)
  WITH (KAFKA_TOPIC = '\${topic:${t.table}}', KEY_FORMAT = 'JSON', VALUE_FORMAT = 'JSON');`,
  );
  const queries = blocks.map(
    (b) =>
      `-- ${b.name}: ${b.operators.map((o) => o.detail).join('; ') || 'selection'}\n${commented(b.sql ?? '')}\n-- CREATE TABLE ${quoted(viewName(b.name))} WITH (KAFKA_TOPIC = '${b === blocks.at(-1) ? '${output}' : `\${stage:${b.name}}`}') AS SELECT … FROM ${b.reads.map((name) => quoted(viewName(name))).join(' JOIN ')}${b.key.length > 0 ? ` GROUP BY ${b.key.map(quoted).join(', ')}` : ''} EMIT CHANGES;`,
  );
  return {
    file: 'pipeline.ksql',
    text: `${[head, ...sources, ...queries].join('\n\n')}\n`,
    open: blocks.map((b) => `${b.name}: its columns and conditions must be written by hand`),
  };
}

function ksqlType(table: TableFacts, column: string): string {
  const type = table.columns.find((c) => c.name === column)!.type;
  return type.endsWith('[]') ? `ARRAY<${ksqlScalar(type.slice(0, -2))}>` : ksqlScalar(type);
}

function ksqlScalar(type: string): string {
  return (
    (
      {
        int2: 'INTEGER',
        int4: 'INTEGER',
        int8: 'BIGINT',
        bool: 'BOOLEAN',
        float4: 'DOUBLE',
        float8: 'DOUBLE',
      } as Record<string, string>
    )[type] ?? 'STRING'
  );
}
