// Verbs that look again and again keep their connections: opening new ones every half second would load the machine that they watch.
import { Ledger } from '../clients/ledger.js';
import type { StatusWithWindows } from '../domain/ledger.js';
import { openLedger, readStatusWith, withClientOrNull } from './access.js';

/** Calls `look` with fresh status every `everyMs` until it answers an exit code. */
export async function pollStatus(id: string, everyMs: number, look: (status: StatusWithWindows) => Promise<number | null> | number | null): Promise<number> {
  const ledger: Ledger | undefined = openLedger();
  try {
    return await withClientOrNull(async (client) => {
      for (;;) {
        const code = await look(await readStatusWith(id, client, ledger));
        if (code !== null) return code;
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    });
  } finally {
    await ledger?.close();
  }
}
