// Defines a starting point, which is a draft of a pipeline that a person completes. Also defines
// the input from which drafts are written, and functions that format their text.
import type { TableFacts } from '../facts.js';
import type { Process } from '../portfolio.js';
import { parseTableName } from '../../domain/migration/names.js';
import { columnName, field, list, type Fields } from '../sql/ast.js';
import type { Block, BlockTrees } from '../sql/blocks.js';

export interface StartingPoint {
  readonly file: string;
  readonly text: string;
  /** The parts that must be written by hand. */
  readonly open: readonly string[];
}

export interface Context {
  readonly process: Process;
  readonly tables: readonly TableFacts[];
  /** The table into which the batch writes. Null if it was not measured. */
  readonly result: TableFacts | null;
  readonly blocks: readonly Block[];
  readonly trees: BlockTrees;
  readonly key: readonly string[];
}

/** Returns the table's name without its schema. Returns null for the name of a stage. */
function tableIn(name: string): string | null {
  try {
    return parseTableName(name).table;
  } catch {
    return null;
  }
}

export const bare = (table: string): string => tableIn(table) ?? table;

export const viewName = (name: string): string =>
  tableIn(name) ?? `stage_${name.replaceAll('-', '_')}`;

export const commented = (text: string): string => text.replaceAll(/^/gm, '-- ');

/**
 * Returns the columns that are a timestamptz in every table that has them. A name that a block
 * gives to another value is left out, because the type of that value is unknown.
 */
export function instants({ trees, tables }: Context): Set<string> {
  const columns = tables.flatMap((table) => table.columns);
  const renamed = [...trees.selects.values()].flatMap((select) =>
    list(select, 'targetList').flatMap((item) => {
      const { name, val } = field(item, 'ResTarget') as Fields;
      return typeof name === 'string' && columnName(field(val, 'ColumnRef')) !== name ? [name] : [];
    }),
  );
  const others = columns.filter((c) => c.type !== 'timestamptz').map((c) => c.name);
  const excluded = new Set([...renamed, ...others]);
  return new Set(columns.map((c) => c.name).filter((name) => !excluded.has(name)));
}
