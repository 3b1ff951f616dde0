// Makes the page of environment variables from `src/wiring/environment.ts`.
import { VARIABLES, type Variable } from '../../src/wiring/environment.js';
import { code, page, sentence, table } from './markdown.js';

const INTRODUCTION = `The worker and the verbs of the command line (such as \`sluice get\`) read their settings from the environment only. All
mistakes are reported at once. \`sluice worker --help\` prints the variables of the worker.

A profile in \`temporal.toml\` can hold the settings of Temporal; a variable has priority over it. The other TEMPORAL_*
variables of Temporal's own clients work too. [Secrets and TLS](secrets-and-tls.md) explains \`SLUICE_SECRETS\`.`;

export function environmentPage(): string {
  const rows = Object.entries<Variable>(VARIABLES).map(
    ([name, { readBy, form, otherwise, meaning }]) => [
      code(name),
      readBy.join(' and '),
      form,
      sentence(meaning),
      /^\S+$/.test(otherwise) ? code(otherwise) : sentence(otherwise),
    ],
  );
  return page(
    'Environment variables',
    INTRODUCTION,
    table(['variable', 'read by', 'form', 'meaning', 'without it'], rows),
  );
}
