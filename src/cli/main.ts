#!/usr/bin/env node
// Declares the verbs. Each verb's file is loaded only when it runs, so that --help stays fast.
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import {
  EXIT,
  FORMATS,
  fail,
  write,
  type Format,
  endQuietlyWithReader,
  written,
} from './output.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };
let format: Format = 'text';
let exitCode: number = EXIT.ok;

const output = (choices: readonly string[] = FORMATS, preset = 'text'): Option =>
  new Option('-o, --output <format>', 'output format')
    .choices([...choices])
    .default(preset)
    .env('SLUICE_OUTPUT');
const file = (): Option =>
  new Option('-f, --file <file>', 'migration spec (YAML)').makeOptionMandatory();
const yes = (): Option => new Option('--yes', 'do not ask for confirmation');

/** Runs the verb and keeps its exit code. */
function verb(
  program: Command,
  usage: string,
  description: string,
  run: (...args: never[]) => Promise<number> | number,
): Command {
  const command = program.command(usage).description(description).showSuggestionAfterError();
  return command.action(async (...args: unknown[]) => {
    format = (args.at(-2) as { output?: Format }).output ?? 'text';
    exitCode = await (run as (...args: unknown[]) => Promise<number>)(...args.slice(0, -1));
  });
}

function build(): Command {
  const program = new Command('sluice')
    .description(
      'Moves one batch process at a time from a legacy Postgres to a real-time Kafka pipeline, and never cuts over without proof.',
    )
    .version(version, '-V, --version')
    .showHelpAfterError('(see sluice --help)')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  verb(
    program,
    'init [name]',
    'write a spec to start from; or, with --sql, print the roles and grants of one',
    async (name: never, o: never) => (await import('./init.js')).init(name, o),
  )
    .option('-f, --file <file>', 'where to; with --sql, the spec', 'migration.yaml')
    .option('--sql', 'print the roles and grants that the spec needs, as SQL to paste')
    .addOption(output());
  verb(program, 'validate', 'check a spec offline', async (o: never) =>
    (await import('./validate.js')).validate(o),
  )
    .addOption(file())
    .addOption(output());
  verb(
    program,
    'doctor',
    'check every precondition against the real systems, read-only',
    async (o: never) => (await import('./doctor.js')).doctor(o),
  )
    .option('-f, --file <file>', 'migration spec (YAML)')
    .option('--leftovers', 'instead: list what ended or lost migrations left behind')
    .option('--remove', 'with --leftovers: remove it')
    .option(
      '--route-back',
      'with --remove: if the cut-over happened, route consumers back to the batch first',
    )
    .addOption(yes())
    .addOption(output());
  verb(
    program,
    'assess',
    'judge and rank batch processes: migrate, migrate after, or do not',
    async (o: never) => (await import('./assess.js')).assess(o),
  )
    .requiredOption('-f, --file <file>', 'portfolio (YAML)')
    .option('--process <name>', 'only this one, in full')
    .option(
      '--out <folder>',
      'with --process: write starting points for its pipeline there (Flink SQL, ksqlDB, Kafka Streams, stages)',
    )
    .option('--offline', 'measure nothing: use only the declared facts and the SQL')
    .option('--exit-code', 'exit 3 if a process should not be migrated as it is')
    .addOption(output(['text', 'json', 'md', 'html']));
  verb(
    program,
    'prove',
    'prove the pipeline on a small part of the data, and leave nothing behind',
    async (o: never) => (await import('./prove.js')).prove(o),
  )
    .addOption(file())
    .requiredOption('--slice <sql>', "condition over columns of the tables or of the result's key")
    .option('--stage <name>', 'only this stage of batch.stages')
    .option(
      '--run <command>',
      'start the pipeline; it gets KAFKA_BROKERS, TOPIC_PREFIX, OUTPUT_TOPIC, APPLICATION_ID, STATE_DIR',
    )
    .option(
      '--runs <n>',
      'also compare what the last n runs stored for the keys that they closed (needs validation.closedKeys)',
      '0',
    )
    .option('--timeout <duration>', 'how long the pipeline may take', '10m')
    .option('--by <name>', 'who')
    .addOption(output(['text', 'json', 'md', 'html']));
  verb(program, 'plan', 'show what a start would create, do and leave behind', async (o: never) =>
    (await import('./plan.js')).plan(o),
  )
    .addOption(new Option('-f, --file <file>', 'migration spec (YAML)'))
    .option(
      '--rehearse <id>',
      'instead: rehearse the cut-over of a migration that waits for approval, up to the commit, then release',
    )
    .option('--by <name>', 'who rehearses')
    .option('--key <file>', 'sign the rehearsal (required if the spec names approvers)')
    .addOption(yes())
    .addOption(output())
    .option('--exit-code', 'exit 3 when there is something to do');
  verb(program, 'start', 'start a migration', async (o: never) =>
    (await import('./start.js')).start(o),
  )
    .addOption(file())
    .addOption(output())
    .option('-w, --watch', 'watch until the end');
  verb(program, 'list', 'list all migrations', async (o: never) =>
    (await import('./list.js')).list(o),
  ).addOption(output());
  verb(program, 'get <id>', 'show the state of a migration', async (id: never, o: never) =>
    (await import('./get.js')).get(id, o),
  )
    .addOption(output())
    .option('-w, --watch', 'follow until the end');
  verb(
    program,
    'wait <id>',
    'wait for phase=P, outcome=O, blocked or approval',
    async (id: never, o: never) => (await import('./wait.js')).wait(id, o),
  )
    .requiredOption('--for <condition>', 'phase=P | outcome=O | blocked | approval')
    .option('--timeout <duration>', 'give up with exit 5', '10m')
    .addOption(output());
  verb(program, 'windows <id>', 'list every validation window', async (id: never, o: never) =>
    (await import('./windows.js')).windows(id, o),
  )
    .addOption(output())
    .option('--failed', 'only failed ones');
  verb(program, 'diff <id>', 'show the differences, with both sides', async (id: never, o: never) =>
    (await import('./diff.js')).diff(id, o),
  )
    .option('--window <number>', 'default: the newest failed one')
    .option('--subject <subject>', 'a table, result or result@sink')
    .option('--limit <n>', 'rows of text', '20')
    .option('--exit-code', 'exit 3 when there are differences')
    .addOption(output());
  for (const decision of ['approve', 'reject'] as const) {
    verb(
      program,
      `${decision} <id>`,
      decision === 'approve'
        ? 'approve the cut-over on the current evidence'
        : 'reject and roll back',
      async (id: never, o: never) => (await import('./decide.js')).decide(id, decision, o),
    )
      .requiredOption('--approver <name>', 'who decides')
      .requiredOption('--reason <text>', 'why')
      .option('--evidence <id>', 'the evidence that you looked at; default: the current one')
      .option('--key <file>', "sign with the approver's private key (Ed25519, PEM)")
      .addOption(yes())
      .addOption(output());
  }
  for (const [name, decision, does] of [
    [
      'complete',
      'complete-early',
      'end the soak once its latest window has passed: two people must ask',
    ],
    [
      'break-glass',
      'break-glass',
      'for an hour, let the cut-over begin outside its rules about people and time: two people must sign',
    ],
  ] as const) {
    verb(program, `${name} <id>`, does, async (id: never, o: never) =>
      (await import('./decide.js')).coSign(id, decision, o),
    )
      .requiredOption('--approver <name>', 'who asks')
      .requiredOption('--reason <text>', 'why')
      .option('--key <file>', "sign with the approver's private key (Ed25519, PEM)")
      .addOption(yes())
      .addOption(output());
  }
  for (const [name, does] of [
    ['pause', 'begin no further step (the connector continues)'],
    ['resume', 'continue after a pause'],
    ['retry', 'try the blocked step again'],
  ] as const) {
    verb(program, `${name} <id>`, does, async (id: never, o: never) =>
      (await import('./signal.js')).signal(id, name, o),
    ).addOption(output());
  }
  verb(program, 'extend <id>', 'make the soak longer', async (id: never, o: never) =>
    (await import('./signal.js')).extend(id, o),
  )
    .requiredOption('--for <duration>', 'at least this long from now on: 30m, 2h, 7d')
    .option('--by <name>', 'who')
    .addOption(output());
  verb(
    program,
    'rollback <id>',
    'go back to the batch, from any phase',
    async (id: never, o: never) => (await import('./signal.js')).rollback(id, o),
  )
    .requiredOption('--reason <text>', 'why')
    .option('--by <name>', 'who')
    .option('--key <file>', 'sign it (required if the spec names approvers)')
    .addOption(yes())
    .addOption(output());
  verb(
    program,
    'cancel <id>',
    'abort: route consumers back if needed, and clean up',
    async (id: never, o: never) => (await import('./signal.js')).cancel(id, o),
  )
    .addOption(yes())
    .addOption(output());
  verb(
    program,
    'explain <id>',
    'say why the run is where it is, and which command helps',
    async (id: never, o: never) => (await import('./explain.js')).explain(id, o),
  ).addOption(output());
  verb(program, 'audit <id>', 'show who did what, and the result', async (id: never, o: never) =>
    (await import('./audit.js')).audit(id, o),
  ).addOption(output());
  verb(
    program,
    'report <id> [file]',
    'write the report from the ledger; `report verify FILE` checks one against it',
    async (id: never, file: never, o: never) => (await import('./report.js')).report(id, file, o),
  )
    .option('--show-values', 'show differing values unmasked')
    .addOption(output(['md', 'html', 'json'], 'md'));
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
    format = process.argv[wanted + 1] as Format;
  try {
    await build().parseAsync();
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error, format);
    if (error.exitCode === 0) return EXIT.ok;
    if (format === 'json')
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
