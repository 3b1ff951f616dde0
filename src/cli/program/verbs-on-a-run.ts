// Declares the verbs for a migration that was started. Each verb's file is loaded only when it
// runs.
import type { Command } from 'commander';
import { filled, output, refusesIgnored, verb, yes } from './verb.js';

/** Adds the verbs that only read. */
export function addReadingVerbs(program: Command): void {
  verb(program, 'list', 'list all migrations', async (o: never) =>
    (await import('../list.js')).list(o),
  ).addOption(output());
  verb(program, 'get <id>', 'show the state of a migration', async (id: never, o: never) =>
    (await import('../get.js')).get(id, o),
  )
    .addOption(output())
    .option('-w, --watch', 'print each new state until the end');
  verb(
    program,
    'wait <id>',
    'wait for phase=P, outcome=O, blocked or approval',
    async (id: never, o: never) => (await import('../wait.js')).wait(id, o),
  )
    .requiredOption('--for <condition>', 'the condition: phase=P, outcome=O, blocked or approval')
    .option('--timeout <duration>', 'exit 5 if it takes longer', '10m')
    .addOption(output());
  verb(program, 'windows <id>', 'list every validation window', async (id: never, o: never) =>
    (await import('../windows.js')).windows(id, o),
  )
    .addOption(output())
    .option('--failed', 'list only failed windows');
  verb(
    program,
    'diff <id>',
    'show the differences with the values of both sides',
    async (id: never, o: never) => (await import('../diff.js')).diff(id, o),
  )
    .option(
      '--window <number>',
      'which window; default: the newest failed one, or else the newest one with unknown or unstable keys',
    )
    .option('--subject <subject>', 'which subject: a table, a stage, result or result@sink')
    .option('--limit <n>', 'how many differences to print as text', '20')
    .option('--exit-code', 'exit 3 when there are differences')
    .addOption(output());
  verb(
    program,
    'explain <id>',
    'say why the run does not move, and which command helps',
    async (id: never, o: never) => (await import('../explain.js')).explain(id, o),
  ).addOption(output());
  verb(
    program,
    'audit <id>',
    'show what happened, and who decided it',
    async (id: never, o: never) => (await import('../audit.js')).audit(id, o),
  ).addOption(output());
  addReport(program);
}

function addReport(program: Command): void {
  const report = verb(
    program,
    'report <id> [file]',
    'write the report from the ledger; `report verify FILE` checks a report against the ledger',
    async (id: never, file: never, o: never) => (await import('../report.js')).report(id, file, o),
  )
    .option('--show-values', 'show differing values, which are masked by default')
    .addOption(output(['md', 'html', 'json'], 'md'));
  const isVerifying = ({ args }: Command): boolean => args[0] === 'verify' && args.length > 1;
  refusesIgnored(report, 'showValues', (one) =>
    isVerifying(one) ? 'report verify shows no values; omit it' : null,
  );
  refusesIgnored(report, 'output', (one) =>
    isVerifying(one) && one.opts<{ output: string }>().output !== 'json'
      ? 'report verify prints text, or JSON with -o json; omit it'
      : null,
  );
}

/**
 * Adds the verbs that send a person's decision. If the spec names approvers, the decision must be
 * signed.
 */
export function addDecidingVerbs(program: Command): void {
  for (const decision of ['approve', 'reject'] as const) {
    verb(
      program,
      `${decision} <id>`,
      decision === 'approve'
        ? 'approve the cut-over on the current evidence'
        : 'reject and roll back',
      async (id: never, o: never) => (await import('../decide.js')).decide(id, decision, o),
    )
      .requiredOption('--approver <name>', 'the person who decides', filled)
      .requiredOption('--reason <text>', 'the reason, for the audit', filled)
      .option('--evidence <id>', 'the evidence that you looked at; default: the current one')
      .option('--key <file>', "sign with the approver's private key (Ed25519, PEM)")
      .addOption(yes())
      .addOption(output());
  }
  for (const [name, decision, does] of [
    [
      'complete',
      'complete-early',
      'end the soak early, if the latest window has passed; two people must ask',
    ],
    [
      'break-glass',
      'break-glass',
      'for an hour, relax the rules about who must approve and when; two people must sign',
    ],
  ] as const) {
    verb(program, `${name} <id>`, does, async (id: never, o: never) =>
      (await import('../decide.js')).coSign(id, decision, o),
    )
      .requiredOption('--approver <name>', 'the person who asks', filled)
      .requiredOption('--reason <text>', 'the reason, for the audit', filled)
      .option('--key <file>', "sign with the approver's private key (Ed25519, PEM)")
      .addOption(yes())
      .addOption(output());
  }
}

/** Adds the verbs that pause, continue, edit or end a run, ask for a window, or extend the soak. */
export function addSteeringVerbs(program: Command): void {
  for (const [name, does] of [
    ['pause', 'begin no further step (the connector continues)'],
    ['resume', 'continue after a pause'],
    ['retry', 'try the blocked step again'],
  ] as const) {
    verb(program, `${name} <id>`, does, async (id: never, o: never) =>
      (await import('../signal.js')).signal(id, name, o),
    ).addOption(output());
  }
  verb(
    program,
    'edit <id>',
    'change cadence, limits, approval, hold, soak, tolerances, ignored columns or waivers',
    async (id: never, o: never) => (await import('../edit.js')).edit(id, o),
  )
    .requiredOption('-f, --file <file>', 'the complete new spec')
    .option('--reason <text>', 'why (required unless --dry-run)')
    .option('--by <name>', 'the person who edits', filled)
    .option('--key <file>', 'sign the edit (required if the spec names approvers)')
    .option('--dry-run', 'show the differences and change nothing')
    .addOption(yes())
    .addOption(output());
  verb(program, 'window <id>', 'run a validation window now', async (id: never, o: never) =>
    (await import('../window.js')).window(id, o),
  )
    .option('--full', 'read every row')
    .option('--no-wait', 'do not wait for the verdict of the window')
    .option('--by <name>', 'the person who asks', filled)
    .addOption(output());
  verb(program, 'extend <id>', 'make the soak longer', async (id: never, o: never) =>
    (await import('../signal.js')).extend(id, o),
  )
    .requiredOption(
      '--for <duration>',
      'the minimum time from now until the soak ends: 30m, 2h, 7d',
    )
    .option('--by <name>', 'the person who extends the soak', filled)
    .addOption(output());
  verb(
    program,
    'rollback <id>',
    'return to the batch, from any phase before complete',
    async (id: never, o: never) => (await import('../signal.js')).rollback(id, o),
  )
    .requiredOption('--reason <text>', 'the reason, for the audit', filled)
    .option('--by <name>', 'the person who rolls back', filled)
    .option('--key <file>', 'sign the rollback (required if the spec names approvers)')
    .addOption(yes())
    .addOption(output());
  verb(
    program,
    'cancel <id>',
    'abort the migration: route consumers back if needed, and clean up',
    async (id: never, o: never) => (await import('../signal.js')).cancel(id, o),
  )
    .addOption(yes())
    .addOption(output());
}
