// Watches all migrations from outside their workflows. Every ten seconds, the watch sends new
// notices, if there is a webhook. Every two minutes, it finds migrations whose workflow ended
// without cleaning up. It then also watches the slots of migrations without a running guard, for
// example during a rollback. It may drop a slot that is over its WAL budget. Only one worker at a
// time sends notices. Of the workers with the same zones, only one at a time does the other work.
import { watchOrphans, type OrphanDeps } from '../activities/guard/orphan-watch.js';
import type { Gauges } from '../activities/runtime/gauges.js';
import { newestOf } from '../clients/ledger/ledger.js';
import { dueNotices, recordAttempt, storeNotice } from '../clients/ledger/notices.js';
import { sendNotice, type Webhook } from '../clients/http/webhook.js';
import { endedWithoutCleanup, noticesOf } from '../domain/evidence/notices.js';

const ROUND_MS = 10_000;
/** Every 12th round also sends Temporal one request for each migration that still owns objects. */
const ORPHANS_EVERY = 12;
/** The first of the two numbers of each advisory lock that a watching worker takes. */
const LOCK = 7_351_002;
/**
 * Migrations that ended longer ago than this get no notice, so that a new webhook is not flooded.
 */
const RECENT_MS = 3_600_000;

export interface WatchDeps extends OrphanDeps {
  readonly gauges: Gauges;
  readonly webhook: Webhook | null;
  /** Writes a problem to the log. */
  readonly warn: (message: string, migration?: string) => void;
}

/** Starts the watch. Returns a function that ends the watch after the current round. */
export function startWatch(deps: WatchDeps, roundMs = ROUND_MS): () => Promise<void> {
  let isOver = false;
  let wake: () => void = () => undefined;
  const loop = async (): Promise<void> => {
    for (let round = 0; !isOver; round += 1) {
      await watchOnce(deps, round % ORPHANS_EVERY === 0).catch((error: unknown) =>
        deps.warn(`the watch over migrations failed: ${(error as Error).message}`),
      );
      if (!isOver)
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, roundMs).unref();
        });
    }
  };
  const ended = loop();
  return () => {
    isOver = true;
    wake();
    return ended;
  };
}

/** Runs one round, except for the parts that another worker is running now. */
export async function watchOnce(deps: WatchDeps, withOrphans: boolean): Promise<void> {
  const { ledger, gauges, zones, webhook } = deps;
  if (withOrphans) {
    gauges.orphans = []; // another worker may be watching now, and then its gauges are the newest
    await alone(ledger, `orphans of ${zones.join(',')}`, () => lookForOrphans(deps));
  }
  if (webhook) await alone(ledger, 'notices', () => notify(deps, webhook));
}

/** Runs `work`, unless another worker runs it under the same key. */
async function alone(
  ledger: WatchDeps['ledger'],
  key: string,
  work: () => Promise<void>,
): Promise<void> {
  await ledger.session(async (client) => {
    const lock = `${LOCK}, hashtext($1)`;
    const { rows } = await client.query<{ mine: boolean }>(
      `SELECT pg_try_advisory_lock(${lock}) AS mine`,
      [key],
    );
    if (!rows[0]!.mine) return;
    try {
      await work();
    } finally {
      await client.query(`SELECT pg_advisory_unlock(${lock})`, [key]);
    }
  });
}

async function lookForOrphans(deps: WatchDeps): Promise<void> {
  const { gauges, ledger, webhook, warn } = deps;
  const failed = (migration: string, error: Error): void =>
    warn(`the watch could not check the migration: ${error.message}`, migration);
  gauges.orphans = await watchOrphans(deps, failed);
  for (const { migration, state, objects } of gauges.orphans) {
    warn(`its workflow is ${state}, and ${objects} of its objects still exist`, migration);
    const [record] = webhook ? await ledger.migrations(migration) : [];
    if (record) await storeNotice(ledger, endedWithoutCleanup(record, state, objects));
  }
}

async function notify({ ledger, warn }: WatchDeps, webhook: Webhook): Promise<void> {
  for (const { status, outcome, updated_at } of newestOf(await ledger.migrations())) {
    if (!status || (outcome !== null && Date.now() - updated_at.getTime() > RECENT_MS)) continue;
    for (const notice of noticesOf(status)) await storeNotice(ledger, notice);
  }
  for (const { notice } of await dueNotices(ledger)) {
    const problem = await sendNotice(webhook, notice).then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
    if (problem !== null)
      warn(`a notice (${notice.kind}) was not sent: ${problem}`, notice.migration);
    await recordAttempt(ledger, notice, problem);
  }
}
