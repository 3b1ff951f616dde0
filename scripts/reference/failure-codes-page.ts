// Makes the page of failure codes from `src/domain/failure.ts`.
import {
  ENDS_GENERATION,
  FAILURES,
  NEEDS_PERSON,
  type FailureCode,
} from '../../src/domain/failure.js';
import { code, page, sentence, table } from './markdown.js';

const INTRODUCTION = `A run that is blocked shows one of these codes, a detail and a remedy. \`sluice get\`, \`sluice explain\`,
the Web UI and the report show the same text. The remedy may be more precise than the one below.

- *Retried* means that Sluice tries again by itself, first after a minute, and later after pauses of up to an hour. If the
  cause is gone by then, the run continues. If it must not continue yet, use \`sluice pause\`. After the other codes,
  the run ends or waits for \`sluice retry\`, because that is a person's decision.
- *New generation* means that the captured history has a gap. A retry then begins with a new slot, new topics and a
  new initial load.

The [runbook](../runbook.md) says what to do in each phase. [Failure modes](failure-modes.md) lists what is tested.`;

/** A command of the CLI in a remedy. The page shows it as code, without a capital letter. */
const COMMAND = /\bsluice [a-z]+(?: -f FILE)?/g;

export function failureCodesPage(): string {
  const rows = (Object.keys(FAILURES) as FailureCode[]).map((name) => [
    code(name),
    sentence(FAILURES[name].meaning),
    NEEDS_PERSON.includes(name) ? 'no' : 'yes',
    ENDS_GENERATION.includes(name) ? 'yes' : 'no',
    sentence(FAILURES[name].remedy.replace(COMMAND, (command) => code(command))),
  ]);
  return page(
    'Failure codes',
    INTRODUCTION,
    table(['code', 'meaning', 'retried', 'new generation', 'usual remedy'], rows),
  );
}
