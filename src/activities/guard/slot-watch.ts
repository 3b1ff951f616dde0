// Watches a replication slot and its WAL. The guard of a running migration uses this code, and so
// does the watch over migrations that have no guard (orphan-watch.ts).
import type { LeaseRow } from '../../clients/postgres/lease-row.js';
import { withSource } from '../../clients/postgres/connection.js';
import { dropSlot, lossOf, readSlot } from '../../clients/postgres/slots.js';
import { formatBytes, sizeBytes } from '../../domain/values/duration.js';
import { lsnDistance } from '../../domain/values/position.js';
import { BRIEFLY, leaseAccess } from '../ownership/lease-store.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { classify } from '../runtime/application-failure.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';
import { isMade } from './made-connector.js';

export type SlotReport =
  | { readonly kind: 'slot-lost'; readonly detail: string }
  | { readonly kind: 'wal-budget'; readonly detail: string; readonly dropped: boolean }
  /** The slot exceeded its budget earlier, and is within it again. */
  | { readonly kind: 'wal-in-budget'; readonly detail: string };

export interface SlotInput {
  /**
   * True if the slot was seen earlier, so that a missing slot counts as lost. False if the slot may
   * not exist yet.
   */
  readonly slotExpected: boolean;
  readonly alarmed: boolean;
}

export interface SlotHooks {
  readonly wait: (ms: number) => Promise<unknown>;
  /** Receives the number of bytes of WAL that the slot retains. */
  readonly retained: (bytes: number) => void;
}

/** An alarm ends below this share of the budget, so that it does not begin again at once. */
const CALM = 0.8;

type SlotDeps = Pick<Deps, 'secret' | 'ledger' | 'systems'>;

/**
 * Checks the slot of a migration, and enforces its WAL budget. Returns null if there is nothing to
 * report. Drops a slot only if the ledger says that this migration created or claimed it.
 */
export async function watchSlot(
  deps: SlotDeps,
  input: SlotInput & Planned,
  hooks: SlotHooks,
): Promise<SlotReport | null> {
  const { plan, slotExpected, alarmed } = input;
  const { slot } = plan.names;
  return withSource(plan, deps.secret, async (client) => {
    const found = await readSlot(client, slot);
    const detailOfLoss = lossOf(slot, found, { isBeginning: !slotExpected });
    if (detailOfLoss) return { kind: 'slot-lost', detail: detailOfLoss };
    if (!found?.restartLsn) return null;
    const retained = lsnDistance(found.restartLsn, await insertLsn(client));
    hooks.retained(retained);
    const { bytes } = plan.spec.source.walBudget;
    const retains = `slot ${slot} retains ${formatBytes(retained)} of WAL`;
    if (alarmed && retained <= CALM * sizeBytes(bytes))
      return { kind: 'wal-in-budget', detail: `${retains}, which is within walBudget ${bytes}` };
    if (retained <= sizeBytes(bytes)) return null;
    const detail = `${retains}, which is more than walBudget ${bytes}`;
    const kept = await dropIfAllowed(deps, input, hooks.wait);
    if (kept !== null)
      return alarmed ? null : { kind: 'wal-budget', detail: `${detail}${kept}`, dropped: false };
    return {
      kind: 'wal-budget',
      detail: `${detail}: slot dropped, because the health of the source is more important than the migration`,
      dropped: true,
    };
  });
}

/**
 * Drops the slot, unless the spec, the lease row, the ledger or a session that uses the slot
 * prevents this. Returns null if the slot is gone. Otherwise, returns the reason as the end of the
 * report's sentence. The text is empty if the slot stays on purpose: with `onExhaustion: block`, if
 * it was adopted, or after the commit.
 */
async function dropIfAllowed(
  deps: SlotDeps,
  run: Planned,
  wait: SlotHooks['wait'],
): Promise<string | null> {
  const { capture, spec } = run.plan;
  if (spec.source.walBudget.onExhaustion === 'block' || capture.isAdopted) return '';
  const { onLease, leaseIfAny } = leaseAccess(deps);
  const kept =
    (await onLease(run.plan, BRIEFLY, async (client) =>
      needsSlot(await leaseIfAny(client, run)),
    ).catch(
      (error: unknown) =>
        `it is unknown whether the cut-over is committed, because the lease row could not be read (${classify(error).message})`,
    )) ?? (await dropOurSlot(deps, run, wait));
  if (kept === null) return null;
  return kept === COMMITTED ? '' : `; it was not dropped: ${kept}`;
}

const COMMITTED = 'the cut-over is committed';

/**
 * Returns why the slot must stay, or null. The lease row is created before the slot, and the way
 * back removes it after the slot. If the row is missing although the slot exists, a backup was
 * restored, or the migration has handed over its pipeline. In both cases, consumers may read the
 * stream, which needs the slot.
 */
function needsSlot(lease: LeaseRow | null): string | null {
  if (lease === null) return 'the cut-over may be committed, because the lease row is missing';
  if (lease.state === 'SWITCHED') return COMMITTED;
  return lease.state === 'FENCED' && !lease.expired ? 'a cut-over is under way' : null;
}

/**
 * Drops the slot. Returns null if the slot is gone, otherwise the reason why it was not dropped.
 */
async function dropOurSlot(
  deps: SlotDeps,
  { ref, plan }: Planned,
  wait: SlotHooks['wait'],
): Promise<string | null> {
  const { secret, ledger, systems } = deps;
  const { connector, slot } = plan.names;
  const owned = await ledger.objectState(ref, {
    kind: 'slot',
    name: slot,
    where: plan.database,
  });
  if (owned !== 'created' && owned !== 'registered')
    return 'the ledger does not say that this migration created it';
  const rest = systems.connect(plan);
  // A connector of this name that another person created is not stopped.
  const isOurs = await isMade(deps, { ref, plan }, connector);
  const before = isOurs ? await rest.status(connector).catch(() => null) : null;
  // Without a status, it is unknown whether the connector must be resumed later, so the connector
  // is not stopped.
  if (before !== null) await rest.stop(connector).catch(() => undefined);
  return withSource(plan, secret, async (client) => {
    let user: string | null = null;
    for (let attempt = 0; attempt < 100; attempt += 1) {
      user = (await readSlot(client, slot))?.activePid ?? null;
      if (user === null) {
        const isGone = async (): Promise<boolean> => (await readSlot(client, slot)) === null;
        const kept = await dropUnderLease(deps, { ref, plan }, () => dropSlot(client, slot)).catch(
          async (error: unknown) => ((await isGone()) ? null : notDropped(error)),
        );
        // A connector that a person has stopped stays stopped. Without its slot, a connector stays
        // stopped too, because it would create a new slot.
        if (kept !== null && before?.connector.state === 'RUNNING' && !(await isGone()))
          await rest.resume(connector).catch(() => undefined);
        return kept;
      }
      await wait(500);
    }
    return `session ${user} still uses it`;
  });
}

const notDropped = (error: unknown): string =>
  `the lease row could not be locked, or the slot could not be dropped (${classify(error).message})`;

/**
 * Drops the slot under the lock of the lease row, so that no cut-over can be committed at the same
 * time. Returns why the slot must stay, or null after it was dropped.
 */
function dropUnderLease(
  deps: SlotDeps,
  run: Planned,
  drop: () => Promise<unknown>,
): Promise<string | null> {
  const { onLease, leaseIfAny, lockedLease } = leaseAccess(deps);
  return onLease(run.plan, BRIEFLY, async (client) => {
    const isThere = (await leaseIfAny(client, run)) !== null;
    const kept = needsSlot(isThere ? await lockedLease(client, run) : null);
    if (kept === null) await drop();
    return kept;
  });
}
