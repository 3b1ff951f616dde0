// sluice windows ID: prints every validation window, one row per subject.
import { formatMs } from '../domain/values/duration.js';
import { readStatus, requireLedger } from './support/migration-source.js';
import { EXIT, print, table, type Format } from './support/output.js';

export async function windows(
  id: string,
  options: { output: Format; failed?: boolean },
): Promise<number> {
  requireLedger();
  const { windows: all } = await readStatus(id);
  const rows = options.failed ? all.filter((w) => w.verdict === 'failed') : all;
  const cell = (n: number | null | undefined): string =>
    n === null || n === undefined ? '-' : String(n);
  await print(rows, options.output, () =>
    rows.length === 0
      ? 'no windows'
      : table(
          [
            '#',
            'SUBJECT',
            'VERDICT',
            'MODE',
            'COMPARED',
            'ROWS READ',
            'MISSING',
            'EXTRA',
            'MISMATCHED',
            'UNSTABLE',
            'UNKNOWN',
            'TOOK',
            'REASON',
          ],
          rows.map((w) => [
            String(w.number),
            w.subject,
            w.verdict,
            w.mode,
            cell(w.compared),
            cell(w.rowsRead),
            cell(w.missing),
            cell(w.extraneous),
            cell(w.mismatched),
            cell(w.unstable),
            cell(w.unknown),
            formatMs(w.durationMs),
            w.reason,
          ]),
        ),
  );
  return EXIT.ok;
}
