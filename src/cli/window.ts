// sluice window ID: runs a validation window now, and prints its verdict.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { WindowAnswer } from '../domain/evidence/ledger-rows.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { withRunning } from './support/migration-source.js';
import { CliError, EXIT, print, type Format } from './support/output.js';
import { whileServed } from './support/ask-while-served.js';

export interface WindowOptions {
  readonly full?: boolean;
  readonly wait: boolean;
  readonly by?: string;
  readonly output: Format;
}

export async function window(id: string, options: WindowOptions): Promise<number> {
  const { full = false, wait } = options;
  const by = options.by ?? userInfo().username;
  const name = nameOf(id);
  const answer = await withRunning(id, (handle, client) => {
    const updateId = randomUUID(); // a repeated request keeps this id, so the window runs once
    return whileServed(client, handle.workflowId, 'The window', () =>
      handle.executeUpdate<WindowAnswer, [object]>('runWindow', {
        args: [{ by, full, wait }],
        updateId,
      }),
    );
  });
  if (answer.refused !== null)
    throw new CliError(EXIT.failed, 'refused', `no window of ${name}: ${answer.refused}`, [
      `sluice explain ${name}`,
    ]);
  const { window: found } = answer;
  await print(answer, options.output, () =>
    found === null
      ? `the next window begins at once\n  next: sluice windows ${name}`
      : `window ${found.number} ${found.verdict}: ${found.reason}`,
  );
  return found === null || found.verdict === 'passed' ? EXIT.ok : EXIT.failed;
}
