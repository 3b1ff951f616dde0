#!/usr/bin/env node
// Declares the verbs. Each verb's file is loaded only when it runs, so that --help stays fast.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import {
  EXIT,
  FORMATS,
  fail,
  write,
  type Format,
  endQuietlyWithReader,
  written,
} from './output.js';
import { addDecidingVerbs, addReadingVerbs, addSteeringVerbs } from './running-verbs.js';
import { addDecisionAids, addSpecVerbs } from './spec-verbs.js';
import { output, ran, verb } from './verb.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

function build(): Command {
  const program = new Command('sluice')
    .description(
      'Moves one batch process at a time from a legacy Postgres to a real-time Kafka pipeline, and never cuts over without proof.',
    )
    .version(version, '-V, --version')
    .showHelpAfterError('(see sluice --help)')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  addDecisionAids(program);
  addSpecVerbs(program);
  addReadingVerbs(program);
  addDecidingVerbs(program);
  addSteeringVerbs(program);
  verb(program, 'worker', 'serve migrations until SIGTERM', async () =>
    (await import('./worker.js')).worker(),
  );
  verb(program, 'dashboard', 'print every migration on one HTML page', async () =>
    (await import('./dashboard.js')).dashboard(),
  );
  verb(
    program,
    'completion <shell>',
    'print a completion script for bash or zsh',
    async (shell: never) => (await import('./completion.js')).completion(shell, program),
  );
  verb(program, 'schema <what>', 'print the JSON Schema of the spec', async (what: never) =>
    (await import('./schema.js')).schema(what),
  );
  verb(
    program,
    'version',
    'print the version of sluice',
    (o: { output: Format }) => (
      write(o.output === 'json' ? JSON.stringify({ version }) : version),
      EXIT.ok
    ),
  ).addOption(output());
  return program;
}

async function main(): Promise<number> {
  const wanted = process.argv.findIndex((arg) => arg === '-o' || arg === '--output');
  if (wanted > 0 && (FORMATS as readonly string[]).includes(process.argv[wanted + 1] ?? ''))
    ran.format = process.argv[wanted + 1] as Format;
  try {
    await build().parseAsync();
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

process.on('SIGINT', () => process.exit(EXIT.interrupted));
endQuietlyWithReader();
const code = await main();
await written();
process.exit(code);
