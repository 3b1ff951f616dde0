// Waits until the demo's migration reaches a state, and prints what the migration waits for.
import { explainStatus } from '../../src/cli/explain.js';
import { pollStatus } from '../../src/cli/support/poll-status.js';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';

const POLL_MS = 500;
const STILL_MS = 10_000; // after this time, the same line is printed again

type IsReached = (status: StatusWithWindows) => Promise<boolean> | boolean;

/**
 * Returns a function that waits without a limit, because a slow machine is not a failure. It polls
 * in this process, because a new process for each poll would load the machine.
 */
export const untilStatusOf =
  (name: string, say: (line: string) => void) =>
  async (what: string, isReached: IsReached): Promise<StatusWithWindows> => {
    say(`waiting for ${what}`);
    let said = '';
    let saidAt = Date.now();
    let last: StatusWithWindows | undefined;
    await pollStatus(name, POLL_MS, async (status) => {
      last = status;
      if (await isReached(status)) return 0;
      const { because, waits } = explainStatus(status);
      const line = `${status.phase ?? 'starting'}: ${because}`;
      if (line !== said || Date.now() - saidAt > STILL_MS) {
        say(`  … ${[line, ...(status.waiting ? [] : waits)].join(' ')}`);
        [said, saidAt] = [line, Date.now()];
      }
      return null;
    });
    return last!;
  };
