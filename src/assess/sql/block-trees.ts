// Cuts one query into blocks (its CTEs, its sub-queries in FROM, and the query itself), and keeps
// the parse tree of each. The starting points, which are drafts of a pipeline, are written from
// these trees.
import { parseSync, scanSync } from 'libpg-query';
import { field, list, withOuter, type Fields } from './ast.js';
import { blocksOf, type Block, type BlockTrees } from './blocks.js';
import { SqlText } from './text.js';

/**
 * Returns the blocks of a single SELECT (or INSERT … SELECT) with their trees, or null for any
 * other statement. Throws if the parser refuses the text.
 */
export function blockTrees(sql: string): { blocks: Block[]; trees: BlockTrees } | null {
  const statements = list(parseSync(sql), 'stmts');
  const stmt = field(statements[0], 'stmt');
  const insert = field(stmt, 'InsertStmt') as Fields | undefined;
  const inner = (field(stmt, 'SelectStmt') ?? field(field(insert, 'selectStmt'), 'SelectStmt')) as
    | Fields
    | undefined;
  if (statements.length !== 1 || !inner) return null;
  const select = insert ? withOuter(inner, insert) : inner;
  const trees: BlockTrees = { selects: new Map(), inner: new Map(), ctes: new Map() };
  return {
    blocks: blocksOf(select, 'result', sql, new SqlText(sql, scanSync(sql).tokens), trees),
    trees,
  };
}
