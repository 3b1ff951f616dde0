// Verbs that look again and again keep their connections: opening new ones every half second would load the machine that they watch.
import type { Client } from '@temporalio/client';
import { Ledger } from '../clients/ledger.js';
import type { StatusWithWindows } from '../domain/ledger.js';
import { openLedger, readStatusWith, withClientOrNull, workflowIdOf } from './access.js';

/** Calls `look` with fresh status every `everyMs` until it answers an exit code. */
export async function pollStatus(
  id: string,
  everyMs: number,
  look: (status: StatusWithWindows, client: Client | null) => Promise<number | null> | number | null,
): Promise<number> {
  const ledger: Ledger | undefined = openLedger();
  try {
    return await withClientOrNull(async (client) => {
      for (;;) {
        const code = await look(await readStatusWith(id, client, ledger), client);
        if (code !== null) return code;
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    });
  } finally {
    await ledger?.close();
  }
}

/** How the newest run ended when it can never reach an outcome: refused, terminated. Null while it runs, and where Temporal does not answer. */
export async function deadEnd(id: string, client: Client | null): Promise<string | null> {
  const handle = client?.workflow.getHandle(workflowIdOf(id));
  const { name } = (await handle?.describe().catch(() => undefined))?.status ?? {};
  if (!handle || !name || !['FAILED', 'TERMINATED', 'TIMED_OUT'].includes(name)) return null;
  if (name !== 'FAILED') return `its workflow was ${name.toLowerCase().replace('_', ' ')}`;
  const why = await handle.result().catch((error: unknown) => ((error as { cause?: Error }).cause ?? (error as Error)).message);
  return `its newest run was refused: ${String(why)}`;
}
