// Makes the page of the command line from the declarations of its verbs, such as `sluice get`.
import type { Argument, Command, Option } from 'commander';
import { EXIT, EXIT_MEANINGS } from '../../src/cli/support/output.js';
import { buildProgram } from '../../src/cli/program/program.js';
import { code, page, sentence, table } from './markdown.js';

const INTRODUCTION = `\`sluice VERB --help\` prints the same facts about one verb. In the repository, write
\`npm run -s sluice -- VERB …\`. \`ID\` is the name of a migration or its workflow id. Options marked *required* have no default.
[Environment variables](environment.md) lists the settings that come from the environment.`;

const EXIT_CODES = table(
  ['code', 'name', 'meaning'],
  (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name) => [
    String(EXIT[name]),
    code(name),
    EXIT_MEANINGS[name],
  ]),
);

export function cliPage(): string {
  const verbs = buildProgram('').commands.map(verbSection);
  return page('Command line', INTRODUCTION, '## Exit codes', EXIT_CODES, ...verbs);
}

function verbSection(command: Command): string {
  const usage = ['sluice', command.name(), ...command.registeredArguments.map(argumentText)];
  const { options } = command;
  return [
    `## sluice ${command.name()}`,
    sentence(command.description()),
    `\`\`\`\n${usage.join(' ')}${options.length > 0 ? ' [options]' : ''}\n\`\`\``,
    ...(options.length > 0 ? [table(['option', 'meaning', 'default'], options.map(row))] : []),
  ].join('\n\n');
}

const argumentText = (argument: Argument): string =>
  argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;

function row(option: Option): string[] {
  const choices = option.argChoices ? `: ${option.argChoices.join(', ')}` : '';
  const preset = option.defaultValue as string | undefined;
  const fallback = preset === undefined ? '–' : code(preset);
  return [
    code(option.flags),
    sentence(`${option.description}${choices}`),
    option.mandatory && preset === undefined ? '*required*' : fallback,
  ];
}
