// Declares verbs, and the options that several verbs share.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { VariableName } from '../../wiring/environment.js';
import { EXIT, FORMATS, type Format } from '../support/output.js';

/** The output format and exit code of the last verb. */
export const ran: { format: Format; exitCode: number } = { format: 'text', exitCode: EXIT.ok };

export const output = (choices: readonly string[] = FORMATS, preset = 'text'): Option =>
  new Option('-o, --output <format>', 'output format')
    .choices([...choices])
    .default(preset)
    .env('SLUICE_OUTPUT' satisfies VariableName);
export const file = (): Option =>
  new Option('-f, --file <file>', 'migration spec (YAML)').makeOptionMandatory();
/** Returns the text of an option without spaces around it. Refuses a blank text. */
export function filled(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new InvalidArgumentError('It must not be blank.');
  return trimmed;
}

/**
 * Declares an option that only works together with the option `other`. Without it, the verb
 * refuses the option instead of ignoring it.
 */
export function needs(command: Command, option: string, other: string): Command {
  return command.hook('preAction', (_program, verb) => {
    if (verb.opts()[option] !== undefined && verb.opts()[other] === undefined)
      verb.error(`error: option '${flagOf(verb, option)}' needs '${flagOf(verb, other)}'`);
  });
}

/** Returns whether an option is on the command line. Its default and its variable do not count. */
const isGiven = (command: Command, option: string): boolean =>
  command.getOptionValueSource(option) === 'cli';

/**
 * Makes a verb refuse `option` on the command line if the verb would ignore it. `why` returns why it
 * would, or null. A format in SLUICE_OUTPUT is never refused, because it applies to all verbs.
 */
export function refusesIgnored(
  command: Command,
  option: string,
  why: (verb: Command, isOnCommandLine: (other: string) => boolean) => string | null,
): Command {
  return command.hook('preAction', (_program, verb) => {
    const reason = isGiven(verb, option) ? why(verb, (other) => isGiven(verb, other)) : null;
    if (reason !== null)
      verb.error(`error: option '${flagOf(verb, option)}' would be ignored: ${reason}`);
  });
}

const flagOf = (command: Command, name: string): string =>
  command.options.find((option) => option.attributeName() === name)?.flags ?? name;

export const yes = (): Option => new Option('--yes', 'do not ask for confirmation');

/**
 * Declares a verb. When it runs, its format and exit code are kept in `ran`. The argument `<id>` is
 * the name of a migration or its workflow id.
 */
export function verb(
  program: Command,
  usage: string,
  description: string,
  run: (...args: never[]) => Promise<number> | number,
): Command {
  const command = program.command(usage).description(description).showSuggestionAfterError();
  return command.action(async (...args: unknown[]) => {
    ran.format = (args.at(-2) as { output?: Format }).output ?? 'text';
    if (usage.includes('<id>'))
      args[0] = await (await import('../support/resolve-id.js')).resolveId(args[0] as string);
    ran.exitCode = await (run as (...args: unknown[]) => Promise<number>)(...args.slice(0, -1));
  });
}
