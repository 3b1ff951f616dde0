// Runs one command line in this process.
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { EXIT, FORMATS, fail, write, type Format } from '../support/output.js';
import { buildProgram } from './program.js';
import { ran } from './verb.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Runs the verb that `args` name (without the program's name), and returns its exit code. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const wanted = args.findIndex((arg) => arg === '-o' || arg === '--output');
  const format = args[wanted + 1] ?? '';
  ran.format =
    wanted >= 0 && (FORMATS as readonly string[]).includes(format) ? (format as Format) : 'text';
  ran.exitCode = EXIT.ok;
  try {
    await buildProgram(version).parseAsync(args, { from: 'user' });
    return ran.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error, ran.format);
    if (error.exitCode === 0) return EXIT.ok;
    if (ran.format === 'json')
      write(
        JSON.stringify(
          { error: { code: 'usage', message: error.message, next: ['sluice --help'] } },
          null,
          2,
        ),
      );
    return EXIT.usage;
  }
}
