// Reads a spec file for a command of `sluice`. Throws an error with exit code 2 if the file cannot
// be read or the spec is not valid. Before that, prints every problem of the spec to stderr.
import { dirname, resolve } from 'node:path';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { formatProblem, parseSpecText, type SpecUse } from '../../manifest/parse.js';
import { fileText, readText } from './file-text.js';
import { CliError, EXIT, say } from './output.js';

export function readSpec(file: string, use: SpecUse = 'migration'): MigrationSpec {
  const text = fileText(
    file,
    (reason) => new CliError(EXIT.usage, 'spec-unreadable', `cannot read ${file}: ${reason}`),
  );
  const inline = (path: string): string => readText(resolve(dirname(file), path));
  const parsed = parseSpecText(text, file, inline, use);
  if (parsed.ok) return parsed.spec;
  for (const problem of parsed.problems) say(formatProblem(problem));
  throw new CliError(
    EXIT.usage,
    'spec-invalid',
    `${file} has ${parsed.problems.length} problem(s): ${formatProblem(parsed.problems[0]!)}`,
  );
}
