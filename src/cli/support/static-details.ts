// Writes the text that Temporal's Web UI shows for a run from its first moment, even while no
// worker answers. The Web UI's *Current Details* come from the run itself, so they need a worker.
import type { MigrationSpec } from '../../domain/migration/spec.js';

const TABLES_SHOWN = 20;

/**
 * Returns Markdown for `staticDetails`. It has no host names, because Temporal stores the text and
 * shows it in the Web UI.
 */
export function staticDetails({ metadata, spec }: MigrationSpec): string {
  const { name } = metadata;
  const { tables, postgres } = spec.source;
  const shown = tables.slice(0, TABLES_SHOWN).map(code).join(', ');
  const more = tables.length > TABLES_SHOWN ? `, and ${tables.length - TABLES_SHOWN} more` : '';
  const result = spec.batch && `Result of the batch: ${code(spec.batch.result.table)}`;
  return [
    `Source: database ${code(postgres.database)}, tables ${shown}${more}`,
    result,
    `What to do now: ${code(`sluice get ${name}`)}. Why it waits: ${code(`sluice explain ${name}`)}`,
    `To go back: ${code(`sluice rollback ${name} --reason "..."`)}. Do not terminate the run, because that removes nothing`,
    `If *Current Details* stay empty, no worker answers: start one with ${code('sluice worker')}`,
  ]
    .filter((line) => line !== undefined)
    .map((line) => `- ${line}`)
    .join('\n');
}

const code = (text: string): string => `\`${text}\``;
