// Polls the status of a run for commands that wait, such as `sluice wait`. It reuses its
// connections, because new connections for every poll would load the machine.
import type { Client } from '@temporalio/client';
import { Ledger } from '../../clients/ledger/ledger.js';
import type { StatusWithWindows } from '../../domain/evidence/ledger-rows.js';
import { judgeStanding } from '../../domain/migration/run-standing.js';
import { openLedger, readStatusWith, withClientOrNull } from './migration-source.js';
import { say } from './output.js';
import { lookAt } from './ask-run-state.js';

/**
 * Calls `look` with a new status every `everyMs` milliseconds until `look` returns an exit code.
 * Prints a problem of the run when it appears, and not again as long as it stays the same.
 */
export async function pollStatus(
  id: string,
  everyMs: number,
  look: (
    status: StatusWithWindows,
    client: Client | null,
  ) => Promise<number | null> | number | null,
): Promise<number> {
  const ledger: Ledger | undefined = openLedger();
  let said: string | null = null;
  try {
    return await withClientOrNull(async (client, problem) => {
      for (;;) {
        const status = await readStatusWith(id, client, ledger, problem);
        const state = status.standing?.state ?? null;
        if (state !== said && state !== null)
          say(
            `${status.name}: ${status.standing!.problem}\n${status.standing!.remedy.map((r) => `  → ${r}`).join('\n')}`,
          );
        said = state;
        const code = await look(status, client);
        if (code !== null) return code;
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    });
  } finally {
    await ledger?.close();
  }
}

/**
 * Returns why the newest run can never reach an outcome, for example because it was terminated.
 * Returns null if the run can still reach an outcome, or if Temporal does not answer.
 */
export async function deadEnd(id: string, client: Client | null): Promise<string | null> {
  const { seen } = await lookAt(id, client, '', true);
  const { isDead, problem } = judgeStanding(seen, null, new Date().toISOString());
  return isDead ? problem : null;
}
