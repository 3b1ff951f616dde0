// Collects the functions and operators that a statement calls. Also collects constants whose value
// Postgres may take from the clock, such as 'today'.
import { field, list, names, walk } from './ast.js';

export interface Called {
  /** The names of functions, as written: `f`, or `schema.f`. */
  readonly functions: Set<string>;
  /** The names of operators, without their schema. */
  readonly operators: Set<string>;
  /** Constants such as `today`. A date or time type takes their value from the clock. */
  readonly moments: Moment[];
}

export interface Moment {
  readonly text: string;
  /** The offset of the constant in the text, in bytes. */
  readonly start: number;
}

/**
 * Matches a text such as `today`, whose value the date and time types take from the clock. A time
 * of day may follow the word.
 */
const MOMENT = /^\s*(now|today|tomorrow|yesterday)(\s+[\w:.+-]+)*\s*$/i;

export const isMoment = (text: string): boolean => MOMENT.test(text);

export const nothingCalled = (): Called => ({
  functions: new Set(),
  operators: new Set(),
  moments: [],
});

/** Adds what the statement calls to `called`. */
export function addCalled(tree: unknown, called: Called): void {
  walk(tree, ({ kind, node }) => {
    if (kind === 'FuncCall') called.functions.add(names(list(node, 'funcname')).join('.'));
    for (const operator of names(list(node, OPERATOR_OF[kind] ?? '')).slice(-1))
      called.operators.add(operator);
    const text = kind === 'A_Const' ? field(node['sval'], 'sval') : undefined;
    if (typeof text === 'string' && isMoment(text))
      called.moments.push({ text, start: Number(node['location'] ?? 0) });
  });
}

/** For each kind of node, the field that contains the name of its operator. */
const OPERATOR_OF: Readonly<Record<string, string>> = {
  A_Expr: 'name',
  SubLink: 'operName',
  SortBy: 'useOp',
};
