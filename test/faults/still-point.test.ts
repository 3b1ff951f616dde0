// Disturbs still points on real servers. At a still point, a window pauses the connector and
// compares results exactly. The worker or Kafka Connect stops during the pause, or Postgres
// cancels the query. The connector must never stay paused, and later windows must be exact again.
import { describe, expect, it } from 'vitest';
import { stackHome } from '../../stack/paths.js';
import { alive } from '../../stack/processes.js';
import { up } from '../../stack/stack.js';
import { sleepUntil } from '../support/builders.js';
import { TestWorker } from '../support/sluice.js';
import { stillPipeline } from '../support/still-pipeline.js';

const NAME = 'disturbed';
const still = stillPipeline(NAME);
const { worker, nextWindow, isConnector, paused, openPauses } = still;

/** Waits until the connector runs and a window passes exactly again. */
async function recovered(): Promise<void> {
  await sleepUntil(
    'a window that passes exactly',
    async () => {
      const { mode, verdict } = await nextWindow();
      return mode === 'exact' && verdict === 'passed';
    },
    600_000,
  );
  await sleepUntil('no open pause', async () => (await openPauses()) === 0);
}

const allowed = (body: string): Promise<unknown> =>
  still
    .client()
    .query(
      `CREATE OR REPLACE FUNCTION allowed(id bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN ${body} RETURN true; END$$`,
    );

/**
 * Cancels each query that runs as of a still point. Only these queries exclude rows by a list of
 * keys.
 */
function cancelAligned(): { readonly stop: () => Promise<void> } {
  let isOver = false;
  const cancelling = (async () => {
    while (!isOver) {
      await still.client().query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
          WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%) NOT IN ((%'`,
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await cancelling;
    },
  };
}

describe('a still point', () => {
  it('is ended by a second worker while its own worker is suspended, and stays ended', async () => {
    const second = new TestWorker();
    for (let isInside = false; !isInside;) {
      await paused();
      worker.send('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 3000));
      isInside = await isConnector('PAUSED');
      if (!isInside) worker.send('SIGCONT');
    }
    try {
      await second.start();
      await sleepUntil('the connector runs', () => isConnector('RUNNING'));
      await recovered();
      worker.send('SIGCONT');
      await recovered();
    } finally {
      worker.send('SIGCONT');
      await second.kill('SIGTERM');
    }
    await recovered();
  });

  it('ends if Connect is killed with -9 during it, and later windows pass', async () => {
    await paused();
    process.kill(alive(stackHome(), 'connect')!, 'SIGKILL');
    await sleepUntil('it is dead', () => alive(stackHome(), 'connect') === undefined);
    await up(stackHome(), () => undefined);
    await sleepUntil('the connector runs', () => isConnector('RUNNING').catch(() => false));
    await recovered();
  });

  it('is abandoned if Postgres cancels the aligned query, and its window compares in settled rounds', async () => {
    await allowed('FOR i IN 1..400 LOOP NULL; END LOOP;'); // slow enough to be seen in pg_stat_activity
    const cancelling = cancelAligned();
    const why =
      /compared in settled rounds, because the query as of the still point was cancelled: canceling statement/;
    let settled = await nextWindow();
    // on a slow machine, a window may compare in settled rounds for another reason first
    await sleepUntil('a window whose aligned query was cancelled', async () => {
      if (!why.test(settled.reason)) settled = await nextWindow();
      return why.test(settled.reason);
    });
    await cancelling.stop();
    expect(settled.mode).toBe('settled');
    expect(settled).toMatchObject({ mismatched: 0, missing: 0, extraneous: 0, unknown: 0 });
    await allowed('');
    await recovered();
  });
});
