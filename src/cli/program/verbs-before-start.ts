// Declares the verbs for the time before a migration starts. Most of them read a spec or a
// portfolio. Each verb's file is loaded only when it runs.
import { Option, type Command } from 'commander';
import { FORMATS } from '../support/output.js';
import { filled, file, needs, output, verb, yes } from './verb.js';

/** Adds the verbs that work with a spec: write it, check it, plan it, start it. */
export function addSpecVerbs(program: Command): void {
  verb(
    program,
    'init [name]',
    'write a spec to start from; with --sql, print the roles and grants that a spec needs',
    async (name: never, o: never) => (await import('../init.js')).init(name, o),
  )
    .option(
      '-f, --file <file>',
      'the file to write; with --sql, the spec to read',
      'migration.yaml',
    )
    .option('--sql', 'print the roles and grants that the spec needs, as SQL to paste')
    .addOption(output());
  verb(program, 'validate', 'check a spec offline', async (o: never) =>
    (await import('../validate.js')).validate(o),
  )
    .addOption(file())
    .addOption(output());
  const doctor = verb(
    program,
    'doctor',
    'check every precondition against the real systems, read-only',
    async (o: never) => (await import('../doctor.js')).doctor(o),
  )
    .addOption(new Option('-f, --file <file>', 'migration spec (YAML)').conflicts('leftovers'))
    .option(
      '--leftovers',
      'instead of checking, list what ended or terminated migrations left behind',
    )
    .option('--remove', 'with --leftovers: remove these objects')
    .option(
      '--route-back',
      'with --remove: if the cut-over happened, route consumers back to the batch first',
    )
    .addOption(yes())
    .addOption(output());
  needs(doctor, 'remove', 'leftovers');
  needs(doctor, 'routeBack', 'remove');
  const plan = verb(
    program,
    'plan',
    'show what a migration would create, do and leave behind',
    async (o: never) => (await import('../plan.js')).plan(o),
  )
    .addOption(new Option('-f, --file <file>', 'migration spec (YAML)').conflicts('rehearse'))
    .option(
      '--rehearse <id>',
      'show no plan; instead, rehearse the cut-over of a migration that waits for approval, and stop before the commit',
    )
    .option('--by <name>', 'the person who rehearses', filled)
    .option('--key <file>', 'sign the rehearsal (required if the spec names approvers)')
    .addOption(yes())
    .addOption(output())
    .addOption(
      new Option(
        '--exit-code',
        'exit 3 instead of 0 after a plan is printed, to show that its changes are still to be made',
      ).conflicts('rehearse'),
    );
  needs(plan, 'by', 'rehearse');
  needs(plan, 'key', 'rehearse');
  verb(program, 'start', 'start a migration', async (o: never) =>
    (await import('../start.js')).start(o),
  )
    .addOption(file())
    .addOption(output())
    .option('-w, --watch', 'watch until the end');
}

/**
 * Adds the verbs that help before a migration is planned. They judge which process to migrate, and
 * compare a part of the data or existing topics.
 */
export function addDecisionAids(program: Command): void {
  verb(
    program,
    'assess',
    'judge and rank batch processes: which to migrate now, which later, and which not at all',
    async (o: never) => (await import('../assess.js')).assess(o),
  )
    .requiredOption('-f, --file <file>', 'portfolio (YAML)')
    .option('--process <name>', 'judge only this process, with all details')
    .option(
      '--out <folder>',
      'with --process: write starting points for its pipeline to this folder (Flink SQL, ksqlDB, Kafka Streams, stages)',
    )
    .option('--offline', 'measure nothing: use only the declared facts and the SQL')
    .option('--exit-code', 'exit 3 if a process should not be migrated as it is')
    .addOption(output(['text', 'json', 'md', 'html']));
  verb(
    program,
    'prove',
    'prove the pipeline on a small part of the data, and leave nothing behind',
    async (o: never) => (await import('../prove.js')).prove(o),
  )
    .addOption(file())
    .requiredOption(
      '--slice <sql>',
      "SQL condition on columns of the tables, or of the result's key",
    )
    .option('--stage <name>', 'prove only this stage of batch.stages')
    .option(
      '--run <command>',
      'command that starts the pipeline; its environment contains KAFKA_BROKERS, TOPIC_PREFIX, OUTPUT_TOPIC, APPLICATION_ID, STATE_DIR',
    )
    .option(
      '--runs <n>',
      'also compare the stored results of the last n batch runs, for the keys that will not change again (needs validation.closedKeys)',
      '0',
    )
    .option('--timeout <duration>', 'how long the pipeline may take', '10m')
    .option('--by <name>', 'the person who runs the proof', filled)
    .addOption(output(['text', 'json', 'md', 'html']));
  verb(
    program,
    'compare',
    'compare tables with topics that already exist, once, and create nothing',
    async (o: never) => (await import('../compare.js')).compare(o),
  )
    .addOption(file())
    .option(
      '--within <duration>',
      "how long to wait until the slot has confirmed the snapshot's WAL position, at most 60s",
      '60s',
    )
    .option(
      '--marker',
      'write messages with the prefix sluice.compare into the WAL while the slot is behind; the connector must ignore this prefix',
    )
    .option('--limit <n>', 'how many differences to print as text', '20')
    .addOption(output([...FORMATS, 'md', 'html']));
}
