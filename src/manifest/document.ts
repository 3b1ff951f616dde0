// Parses untrusted YAML into a checked value, or returns the problems with their places
// (file:line:col). Specs and portfolios are parsed with this code.
import {
  LineCounter,
  isAlias,
  isMap,
  isPair,
  isScalar,
  parseDocument,
  visit,
  type Document,
} from 'yaml';
import type { z } from 'zod';
import { suggestion } from './suggest.js';

export interface SpecProblem {
  /** The place as `file:line:col`, or empty for input without a file. */
  readonly at: string;
  readonly path: string;
  readonly message: string;
}

export interface SpecIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly SpecProblem[] };
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly SpecIssue[] };

/** Messages for problems that the YAML parser describes in the terms of its own API. */
const CLEARER: Partial<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second YAML document begins here; a spec is one document, so remove this line',
  DUPLICATE_KEY: 'this key occurs a second time in its object; remove one of the two',
};
const MAX_BYTES = 256 * 1024;

const TARGET = 'use spec.target, the database of the result, of the sink and of the view';
/** Says for each of these unknown keys what a person can use instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  'spec.batch.database': TARGET,
  'spec.sink.database': TARGET,
  'spec.validation.witness': 'use validation.laterWindows: witness',
  'spec.connector.ca': 'use connector.tls: { ca: FILE }',
  'spec.source.readFrom': 'Sluice reads the primary only, so remove it',
};

/**
 * Parses a YAML text. `inline` returns the text of a `file:` reference (relative to the YAML file),
 * and throws if the text cannot be read. `check` checks the parsed value.
 */
export function parseText<T>(
  text: string,
  file: string,
  inline: (path: string) => string,
  check: (value: unknown) => Checked<T>,
): Parsed<T> {
  const failure = (line: number, col: number, message: string): Parsed<T> => ({
    ok: false,
    problems: [{ at: `${file}:${line}:${col}`, path: '', message }],
  });
  if (Buffer.byteLength(text) > MAX_BYTES)
    return failure(
      1,
      1,
      `the file has ${Buffer.byteLength(text)} bytes, and at most ${MAX_BYTES} are allowed`,
    );
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    merge: false,
    customTags: [],
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const broken = [...doc.errors, ...doc.warnings].map((e) => ({
    at: at(e.pos[0]),
    path: '',
    message: CLEARER[e.code] ?? e.message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
  }));
  if (broken.length > 0) return { ok: false, problems: broken };
  const aliases: SpecProblem[] = [];
  visit(doc, {
    Node(_key, node) {
      if (isAlias(node) || ('anchor' in node && node.anchor))
        aliases.push({
          at: at(node.range?.[0] ?? 0),
          path: '',
          message: 'anchors and aliases are not allowed',
        });
    },
  });
  if (aliases.length > 0) return { ok: false, problems: aliases };
  const place = (path: readonly PropertyKey[]): string => at(offsetOf(doc, path));
  const inlined = inlineFiles(doc.toJS() as unknown, inline);
  const located = (issues: readonly SpecIssue[]): Parsed<T> => ({
    ok: false,
    problems: issues.map((i) => ({
      at: place(i.path),
      path: i.path.join('.'),
      message: i.message,
    })),
  });
  const result = check(inlined.value);
  if (inlined.issues.length === 0) return result.ok ? result : located(result.issues);
  // A text that could not be read was replaced by a placeholder, whose own problems are not
  // reported.
  const unread = inlined.issues.map((issue) => issue.path.slice(0, -1).join('.'));
  const others = result.ok
    ? []
    : result.issues.filter(
        ({ path }) => !unread.some((place) => `${path.join('.')}.`.startsWith(`${place}.`)),
      );
  return located([...inlined.issues, ...others]);
}

/** Lists the problems that a schema found, each with its path. */
export const issuesOf = (error: z.ZodError, schema: z.ZodType): SpecIssue[] =>
  error.issues.flatMap((issue) => toIssues(issue, schema));

export const formatProblem = (p: SpecProblem): string =>
  [p.at, p.path ? `${p.path}:` : '', p.message].filter(Boolean).join(' ');

function toIssues(issue: z.core.$ZodIssue, schema: z.ZodType): SpecIssue[] {
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: unknownKey(key, path, schema),
    }));
  }
  if (
    issue.code === 'invalid_union' &&
    issue.errors.length > 0 &&
    !issue.message.startsWith('expected')
  ) {
    return issue.errors[0]!.flatMap((inner) =>
      toIssues({ ...inner, path: [...path, ...inner.path] }, schema),
    );
  }
  return [{ path, message: missing(issue) ?? issue.message }];
}

/** Says that a required key is missing. Returns null for any other problem. */
function missing(issue: z.core.$ZodIssue): string | null {
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith(' received undefined');
  return isMissing ? `is required, with a value of the type ${issue.expected}` : null;
}

function unknownKey(key: string, path: readonly (string | number)[], schema: z.ZodType): string {
  if (/^password$/i.test(key) && path.at(-1) === 'postgres')
    return 'a literal password is not allowed; use a reference, passwordFrom: { env: NAME } or { file: path }';
  if (key === 'file') return '"file" replaces the other keys here, so it must be the only one';
  const instead = INSTEAD[[...path, key].join('.')];
  if (instead) return `unknown key "${key}"; ${instead}`;
  const close = suggestion(key, schema);
  if (close === key)
    return `the key "${key}" does not belong here, but to another part of the spec`;
  return `unknown key "${key}"${close ? `; did you mean "${close}"?` : ''}`;
}

/** Matches keys whose value is a reference to a secret, such as `passwordFrom` and `tokenFrom`. */
const REFERENCE = /From$/;

/**
 * Replaces each `{ file: x }` with `{ sql: text of x }`. References to secrets stay as they are,
 * because the worker reads them.
 */
function inlineFiles(
  value: unknown,
  inline: (path: string) => string,
): { value: unknown; issues: SpecIssue[] } {
  const issues: SpecIssue[] = [];
  const isReference = (path: readonly (string | number)[]): boolean =>
    REFERENCE.test(String(path.at(-1)));
  const walk = (node: unknown, path: (string | number)[]): unknown => {
    if (Array.isArray(node)) return node.map((item, at) => walk(item, [...path, at]));
    if (node === null || typeof node !== 'object') return node;
    const entries = Object.entries(node);
    const only = entries.length === 1 ? entries[0] : undefined;
    if (only?.[0] === 'file' && typeof only[1] === 'string' && !isReference(path)) {
      try {
        return { sql: inline(only[1]) };
      } catch (error) {
        issues.push({
          path: [...path, 'file'],
          message: `cannot read ${only[1]}: ${(error as Error).message}`,
        });
        return { sql: 'SELECT 1' };
      }
    }
    return Object.fromEntries(entries.map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  return { value: walk(value, []), issues };
}

/**
 * Returns the offset in the text at which the path's last key is. If that key is missing, returns
 * the offset of its nearest parent.
 */
function offsetOf(doc: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? doc.contents : doc.getIn(path.slice(0, length - 1), true);
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && item.key.value === path[length - 1],
      );
      if (pair && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
    }
    const node = doc.getIn(path.slice(0, length), true);
    if (node && typeof node === 'object' && 'range' in node && Array.isArray(node.range))
      return node.range[0] as number;
  }
  return doc.contents?.range?.[0] ?? 0;
}
