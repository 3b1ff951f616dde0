// Declares all verbs. Each verb's file is loaded only when it runs, so that --help stays fast.
import { Command } from 'commander';
import { workerHelp } from '../../wiring/environment.js';
import { EXIT, print, type Format } from '../support/output.js';
import { addDecidingVerbs, addReadingVerbs, addSteeringVerbs } from './verbs-on-a-run.js';
import { addDecisionAids, addSpecVerbs } from './verbs-before-start.js';
import { output, refusesIgnored, verb } from './verb.js';

/** Builds the command line with every verb. `version` is the version of the package. */
export function buildProgram(version: string): Command {
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
  const worker = verb(
    program,
    'worker',
    'serve migrations until SIGTERM or Ctrl-C',
    async (o: never) => (await import('../worker.js')).worker(o),
  )
    .option('--check-replay', 'only replay the open runs with this version; exit 3 if one fails')
    .addOption(output())
    .addHelpText('after', workerHelp);
  refusesIgnored(worker, 'output', (one) =>
    one.opts<{ checkReplay?: boolean }>().checkReplay
      ? null
      : 'without --check-replay, the worker prints only messages on stderr; omit it',
  );
  verb(
    program,
    'codec-server',
    "decrypt payloads for Temporal's Web UI, until Ctrl-C",
    async (o: never) => (await import('../codec-server.js')).codecServer(o),
  )
    .requiredOption('--origin <url>', 'the origin of the Web UI, such as https://temporal.internal')
    .option('--listen <address>', 'the host:port to listen on', '127.0.0.1:8081');
  verb(program, 'dashboard', 'print every migration on one HTML page', async () =>
    (await import('../dashboard.js')).dashboard(),
  );
  verb(
    program,
    'completion <shell>',
    'print a completion script for bash or zsh',
    async (shell: never) => (await import('../completion.js')).completion(shell, program),
  );
  verb(program, 'schema <what>', 'print the JSON Schema of the spec', async (what: never) =>
    (await import('../schema.js')).schema(what),
  );
  verb(
    program,
    'version',
    'print the version of sluice',
    async ({ output: format }: { output: Format }) => {
      await print({ version }, format, () => version);
      return EXIT.ok;
    },
  ).addOption(output());
  return program;
}
