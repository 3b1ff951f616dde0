// Prepares the initial load that Sluice itself makes (`connector.snapshot: copy`). Creates the slot
// with its snapshot, and notices if the slot is lost. Finds the tables, and opens the sessions that
// read them.
import {
  blocksOf,
  readKeyedTable,
  snapshotOf,
  storageOf,
  type TableCatalog,
} from '../../../clients/postgres/catalog.js';
import type { ObjectState } from '../../../clients/ledger/ledger.js';
import { openSource, withSource, type SourceClient } from '../../../clients/postgres/connection.js';
import {
  createSlot,
  shareSnapshot,
  type SharedSnapshot,
} from '../../../clients/postgres/shared-snapshot.js';
import { lossOf, readSlot, type Slot } from '../../../clients/postgres/slots.js';
import { Problem } from '../../../domain/failure.js';
import type { OwnedObject } from '../../../domain/evidence/ledger-rows.js';
import { qualified, quoteLiteral } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { Lsn } from '../../../domain/values/position.js';
import type { Deps } from '../../runtime/deps.js';
import { isClaimed, makeClaimed } from '../../ownership/owned.js';
import type { Planned } from '../../runtime/with-plan.js';
import { creatingSlot, untilCommitsAreSeen } from './slot-wait.js';

export type CopyDeps = Pick<Deps, 'secret' | 'ledger' | 'systems'>;

export interface CopyTarget {
  readonly table: string;
  readonly catalog: TableCatalog;
  readonly topic: string;
  readonly blocks: number;
  /**
   * Identifies the files that hold the table's rows. This text changes when the table is rewritten.
   * If the WAL can omit TOASTed values of the table, the text also identifies the snapshot.
   */
  readonly storage: string;
}

/**
 * Returns the snapshot to read, and the slot's position. A new slot comes with a snapshot at its
 * position. After a restart of the worker, that snapshot is gone, so this function takes a new one.
 * The new snapshot sees every commit before the slot's position, which the slot will not stream.
 * Rows of the new snapshot may be newer than the slot's position. The WAL then repeats changes that
 * these rows already contain. This is harmless, because a consumer keeps the latest record of each
 * key, and the last of these changes has the newest row.
 */
export async function beginCopy(
  { secret, ledger }: CopyDeps,
  { ref, plan }: Planned,
): Promise<{ snapshot: SharedSnapshot; begins: Lsn }> {
  const { slot } = plan.names;
  const object: OwnedObject = { kind: 'slot', name: slot, where: plan.database };
  const read = (): Promise<Slot | null> =>
    withSource(plan, secret, (client) => readSlot(client, slot));
  const existing = positionOf(slot, await read(), await ledger.objectState(ref, object));
  const ask = <T>(use: (client: SourceClient) => Promise<T>): Promise<T> =>
    withSource(plan, secret, use);
  const create = (): Promise<SharedSnapshot> =>
    creatingSlot(slot, ask, () => createSlot(plan, secret, slot));
  if (existing) await ask((client) => untilCommitsAreSeen(slot, client));
  const snapshot = existing
    ? await shareSnapshot(plan, secret)
    : await makeClaimed(ledger, ref, [object], create);
  try {
    const begins = existing ?? (await read())?.confirmedLsn;
    if (!begins) throw new Problem('slot-lost', `slot ${slot} was created but does not exist`);
    await ledger.setObjectState(ref, object, 'created');
    return { snapshot, begins };
  } catch (error) {
    await snapshot.close();
    throw error;
  }
}

/**
 * Returns the position of the slot that an earlier attempt of the copy has created. Returns null if
 * no attempt has created one. `state` is what the ledger says about the slot. Throws Problem
 * `slot-lost` if the slot was created but is lost. A new slot would not have the changes since the
 * earlier attempts, which have already written rows into the topics. Throws Problem
 * `object-not-ours` if the slot exists without a claim of this migration.
 */
export function positionOf(
  name: string,
  found: Slot | null,
  state: ObjectState | null,
): Lsn | null {
  const loss = state === 'created' ? lossOf(name, found) : null;
  if (loss) throw new Problem('slot-lost', loss);
  const position = found?.confirmedLsn ?? null;
  if (position !== null && !isClaimed(state))
    throw new Problem('object-not-ours', `slot ${name} exists and is not in the ledger`);
  return position;
}

/** Throws Problem `slot-lost` if the slot was lost during the copy. */
export async function demandSlot({ secret }: CopyDeps, plan: ResolvedPlan): Promise<void> {
  const { slot } = plan.names;
  const loss = lossOf(slot, await withSource(plan, secret, (client) => readSlot(client, slot)));
  if (loss) throw new Problem('slot-lost', loss);
}

/**
 * Returns whether the WAL can omit a TOASTed value that an update does not set. Such an update may
 * still move its row to another place in the table. The WAL contains every value only under REPLICA
 * IDENTITY FULL.
 */
export const logOmitsValues = ({ holdsFarValues, leaves, ...table }: TableCatalog): boolean =>
  holdsFarValues &&
  (leaves.length > 0 ? leaves : [table]).some((part) => part.replicaIdentity !== 'full');

/**
 * Returns the tables to copy. Reads them with the session `reader`, whose transaction then holds a
 * lock on every table. Until it ends, no table can be rewritten, and CREATE TABLE ... PARTITION OF
 * waits. (ATTACH PARTITION does not wait.)
 */
export async function targetsOf(plan: ResolvedPlan, reader: SourceClient): Promise<CopyTarget[]> {
  const found: CopyTarget[] = [];
  for (const [at, { text: table }] of plan.tables.entries()) {
    const catalog = await readKeyedTable(reader, table);
    const name = qualified(catalog.name);
    await reader.query(`SELECT FROM ${name} LIMIT 0`);
    const files = await storageOf(reader, name);
    found.push({
      table,
      catalog,
      topic: plan.captures[at]!.topic,
      blocks: await blocksOf(reader, name),
      storage: logOmitsValues(catalog) ? `${files}@${await snapshotOf(reader)}` : files,
    });
  }
  return found;
}

/**
 * Opens sessions that all read the same snapshot, then closes the session that exported the
 * snapshot.
 */
export async function openReaders(
  { secret }: CopyDeps,
  plan: ResolvedPlan,
  snapshot: SharedSnapshot,
): Promise<SourceClient[]> {
  const readers: SourceClient[] = [];
  try {
    while (readers.length < plan.spec.source.limits.maxBackends) {
      const reader = await openSource(plan, secret);
      readers.push(reader);
      await reader.query(
        `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot.name)}`,
      );
    }
    return readers;
  } catch (error) {
    await closeReaders(readers);
    throw error;
  } finally {
    await snapshot.close();
  }
}

export async function closeReaders(readers: readonly SourceClient[]): Promise<void> {
  await Promise.all(readers.map((reader) => reader.end().catch(() => undefined)));
}
