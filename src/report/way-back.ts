// Writes the report's text about what a rollback would do now. Without a batch, the migration
// switches no consumers, so the text names no side that they read.
import type { Report } from './build-report.js';

/** Returns HTML. All text from outside is escaped by `e`. */
export function wayBack(
  { status, batchAge, hasBatch, windows, route }: Report,
  e: (text: string) => string,
): string {
  if (status.outcome === 'migrated')
    return hasBatch
      ? `The batch is retired, and the migration can no longer be rolled back. ${e(route.completed)}`
      : 'The migration can no longer be rolled back.';
  if (status.outcome)
    return status.route === null
      ? 'The migration has ended. It never changed what consumers read.'
      : `The migration has ended. ${servedSide(status.route, hasBatch, e)}`;
  const run = hasBatch ? ` ${lastRun(batchAge, e)}` : '';
  if (status.route?.side !== 'stream') {
    const now = hasBatch ? 'Consumers read the batch. ' : '';
    return `${now}A rollback removes the objects that were created, and changes nothing that consumers read.${run}`;
  }
  const streak = windows.length - 1 - windows.findLastIndex((w) => w.verdict !== 'passed');
  return `A rollback is ready: <code>sluice rollback</code> ${e(route.back)}.${run} The last ${streak} comparisons in a row passed.`;
}

const servedSide = (
  { side, observedAt }: NonNullable<Report['status']['route']>,
  hasBatch: boolean,
  e: (text: string) => string,
): string =>
  hasBatch
    ? `Consumers read the ${side} side, observed ${e(observedAt)}.`
    : 'It has no batch, so it switched no consumers.';

const lastRun = (batchAge: Report['batchAge'], e: (text: string) => string): string =>
  batchAge
    ? `The last run of the batch ended at ${e(batchAge.lastFinishedAt)}.`
    : 'It is unknown whether the batch still runs, because the spec names no run log, or the log could not be read.';
