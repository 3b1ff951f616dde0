// Maps PostgreSQL's types to those of Flink SQL. Throws Untranslatable for a type that has none.
import { field, list, typeName, type Fields } from '../sql/ast.js';

/** A construct that must be written by hand. */
export class Untranslatable extends Error {}

const TYPES: Readonly<Record<string, string>> = {
  int2: 'SMALLINT',
  int4: 'INT',
  int8: 'BIGINT',
  bool: 'BOOLEAN',
  float4: 'FLOAT',
  float8: 'DOUBLE',
  text: 'STRING',
  varchar: 'STRING',
  bpchar: 'STRING',
  uuid: 'STRING',
  enum: 'STRING',
  json: 'STRING',
  jsonb: 'STRING',
  date: 'DATE',
  timestamp: 'TIMESTAMP(6)',
  timestamptz: 'TIMESTAMP(6)',
  time: 'TIME(3)',
};

/**
 * Returns Flink's type for a PostgreSQL base type. `typmods` contains a numeric's precision and
 * scale.
 */
export function flinkType(type: string, typmods: readonly number[] = []): string {
  if (type === 'numeric') {
    const [precision = 38, scale = typmods.length > 0 ? 0 : 10] = typmods;
    if (precision <= 38 && scale >= 0 && scale <= precision)
      return `DECIMAL(${precision}, ${scale})`;
    throw new Untranslatable(`type numeric(${typmods.join(',')})`);
  }
  const known = TYPES[type];
  if (!known) throw new Untranslatable(`type ${type}`);
  return known;
}

/** Returns Flink's type for a cast. */
export function castType(cast: Fields): string {
  const typmods = list(cast['typeName'], 'typmods').map((m) =>
    Number(field(field(field(m, 'A_Const'), 'ival'), 'ival') ?? 0),
  );
  return flinkType(typeName(cast), typmods);
}
