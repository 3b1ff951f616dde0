// Runs one command line in this process.
import { readFileSync } from 'node:fs';
import { CommanderError, type Command } from 'commander';
import { EXIT, FORMATS, fail, write, type Format } from '../support/output.js';
import { buildProgram } from './program.js';
import { ran } from './verb.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/**
 * Returns the output format for an error in the command line itself. If the verb is known, it has
 * already parsed --output and SLUICE_OUTPUT. If the verb is unknown, this function looks for the
 * option among the arguments.
 */
function formatOf(program: Command, args: readonly string[]): Format {
  const verb = program.commands.find((command) => command.name() === args[0]);
  const at = args.findIndex((arg) => arg === '-o' || arg === '--output');
  const wanted = verb ? verb.opts<{ output?: string }>().output : args[at + 1];
  return FORMATS.find((format) => format === wanted) ?? 'text';
}

/** Runs the verb that `args` name (without the program's name), and returns its exit code. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const program = buildProgram(version);
  ran.format = 'text';
  ran.exitCode = EXIT.ok;
  try {
    await program.parseAsync(args, { from: 'user' });
    return ran.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error, ran.format);
    if (error.exitCode === 0) return EXIT.ok;
    const format = formatOf(program, args);
    const shown = { code: 'usage', message: error.message, next: ['sluice --help'] };
    if (format === 'json' || format === 'jsonl')
      write(JSON.stringify({ error: shown }, null, format === 'json' ? 2 : 0));
    return EXIT.usage;
  }
}
