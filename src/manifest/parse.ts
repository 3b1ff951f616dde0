// Parses untrusted YAML or JSON into a MigrationSpec, or returns the problems with their places.
import type { MigrationSpec } from '../domain/migration/spec.js';
import { issuesOf, parseText, type Checked, type SpecIssue, type SpecProblem } from './document.js';
import { migrationSchema, type ParsedSpec } from './spec-schema.js';
import { comparisonIssues, migrationIssues, proofOfAdopted } from './comparison-rules.js';
import { proofIssues } from './format-rules.js';
import { semanticIssues } from './semantics.js';

export { formatProblem, type SpecProblem } from './document.js';

export type ParseResult =
  | { readonly ok: true; readonly spec: MigrationSpec }
  | { readonly ok: false; readonly problems: readonly SpecProblem[] };

const ISSUES_OF = {
  migration: migrationIssues,
  comparison: comparisonIssues,
  proof: (parsed: ParsedSpec) => [
    ...migrationIssues(parsed),
    ...proofOfAdopted(parsed),
    ...proofIssues(parsed),
  ],
} as const;

/**
 * Says which command uses the spec: `start`, `compare` or `prove`. Each command refuses settings
 * that it would ignore.
 */
export type SpecUse = 'migration' | 'comparison' | 'proof';

/**
 * Parses a YAML text. `inline` reads the text of a `file:` reference (relative to the spec), and
 * throws if the text cannot be read.
 */
export function parseSpecText(
  text: string,
  file: string,
  inline: (path: string) => string,
  use: SpecUse = 'migration',
): ParseResult {
  const parsed = parseText(text, file, inline, (input) => check(input, use));
  return parsed.ok ? { ok: true, spec: parsed.value } : parsed;
}

/**
 * Parses a spec that is already an object, such as the workflow's input. Problems have no lines.
 */
export function parseSpecObject(input: unknown): ParseResult {
  const result = check(input, 'migration');
  if (result.ok) return { ok: true, spec: result.value };
  return {
    ok: false,
    problems: result.issues.map((i) => ({ at: '', path: i.path.join('.'), message: i.message })),
  };
}

/**
 * Finds texts with NUL or half of a surrogate pair, which the ledger's JSON columns cannot store.
 * Postgres would also end a statement at NUL, and run only the part before it.
 */
function textIssues(value: unknown, path: readonly (string | number)[]): SpecIssue[] {
  if (typeof value === 'string')
    return /\0|\p{Surrogate}/u.test(value)
      ? [{ path, message: 'must not contain NUL or half of a surrogate pair' }]
      : [];
  if (Array.isArray(value)) return value.flatMap((item, at) => textIssues(item, [...path, at]));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...textIssues(key, path),
    ...textIssues(item, [...path, key]),
  ]);
}

function check(input: unknown, use: SpecUse): Checked<MigrationSpec> {
  const unstorable = textIssues(input, []);
  if (unstorable.length > 0) return { ok: false, issues: unstorable };
  const parsed = migrationSchema.safeParse(input);
  if (!parsed.success) return { ok: false, issues: issuesOf(parsed.error, migrationSchema) };
  const issues = [...semanticIssues(parsed.data), ...ISSUES_OF[use](parsed.data)];
  if (issues.length > 0) return { ok: false, issues };
  const { $schema: _ignored, ...spec } = parsed.data;
  // `semanticIssues` has refused every value that MigrationSpec does not know.
  return { ok: true, value: spec as MigrationSpec };
}
