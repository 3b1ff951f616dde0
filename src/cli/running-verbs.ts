// Verbs on a migration that was started. Each verb's file is loaded only when it runs.
import type { Command } from 'commander';
import { output, verb, yes } from './verb.js';

/** Verbs that only read. */
export function addReadingVerbs(program: Command): void {
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
}

/** Decisions of people, signed where the spec names approvers. */
export function addDecidingVerbs(program: Command): void {
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
}

/** Messages that stop, continue or end a run. */
export function addSteeringVerbs(program: Command): void {
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
}
