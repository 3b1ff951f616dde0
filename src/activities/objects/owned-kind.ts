// Defines the functions that each kind of object needs. They find out whether an object exists and
// is in use, and they create and remove it. Each kind has a file here, such as slot.ts. A file of
// the same name in src/domain/objects describes the kind.
import { readSource, withSource, type SourceClient } from '../../clients/postgres/connection.js';
import {
  readTarget,
  withDatabases,
  withTarget,
  type Databases,
} from '../../clients/postgres/target-connection.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import { stopIfCancelled } from '../runtime/poll-until.js';

/**
 * What a check needs: the plan, and access to the plan's systems. The ledger is not included,
 * because `doctor` may run without one.
 */
export interface Asking extends Pick<Deps, 'secret' | 'systems'> {
  readonly plan: ResolvedPlan;
}

/**
 * A run and its systems. The ledger has the objects of the run, and its lease row if there is no
 * batch.
 */
export interface Site extends Asking, Pick<Deps, 'ledger'> {
  readonly ref: MigrationRef;
}

export interface OwnedKind {
  readonly exists: (site: Site, object: OwnedObject) => Promise<boolean>;
  /**
   * Returns false only if the object is certainly gone. This may take seconds, so only a removal
   * calls it. Absent for kinds whose `exists` is always certain.
   */
  readonly mayExist?: (site: Site, object: OwnedObject) => Promise<boolean>;
  /**
   * Creates the object. Null if something else creates the object after the claim. For example, the
   * first member creates a group, and the fence's transaction creates the triggers.
   */
  readonly create: ((site: Site, object: OwnedObject) => Promise<void>) | null;
  /** Removes the object and waits until it is gone. The caller has checked that it is ours. */
  readonly remove: (site: Site, object: OwnedObject) => Promise<void>;
  /**
   * Returns null if the object exists and is in use. Otherwise, it returns the problem as the end
   * of a sentence, such as `is gone`.
   */
  readonly healthy: (site: Site, object: OwnedObject) => Promise<string | null>;
  /** The preflight check that the name is free. Null for kinds whose names need no such check. */
  readonly nameCheck: NameCheck | null;
}

export interface NameCheck {
  /** The check that reports names of this kind. */
  readonly check:
    | 'source.names-free'
    | 'kafka.topics-free'
    | 'connect.name-free'
    | 'pipeline.names-free';
  /** Returns the objects whose name is in use, by this migration or by anything else. */
  readonly taken: (
    asking: Asking,
    objects: readonly OwnedObject[],
  ) => Promise<readonly OwnedObject[]>;
}

/** Returns a name check that asks for each object separately. */
export const askEach =
  (exists: (asking: Asking, object: OwnedObject) => Promise<boolean>): NameCheck['taken'] =>
  async (asking, objects) => {
    const taken: OwnedObject[] = [];
    for (const object of objects) if (await exists(asking, object)) taken.push(object);
    return taken;
  };

/** Returns the health check of an object that only has to exist. */
export const isThere =
  (exists: OwnedKind['exists']): OwnedKind['healthy'] =>
  async (site, object) =>
    (await exists(site, object)) ? null : 'is gone';

export const reading = <T>(
  { plan, secret }: Asking,
  use: (client: SourceClient) => Promise<T>,
): Promise<T> => readSource(plan, secret, use);

/** Calls `use`, unless the activity was cancelled or suspended while its connection opened. */
const unlessStopped =
  <C, T>(use: (client: C) => Promise<T>) =>
  (client: C): Promise<T> => {
    stopIfCancelled();
    return use(client);
  };

export const changing = <T>(
  { plan, secret }: Asking,
  use: (client: SourceClient) => Promise<T>,
): Promise<T> => withSource(plan, secret, unlessStopped(use));

export const readingTarget = <T>(
  { plan, secret }: Asking,
  use: (client: SourceClient) => Promise<T>,
): Promise<T> => readTarget(plan, secret, use);

export const changingTarget = <T>(
  { plan, secret }: Asking,
  use: (client: SourceClient) => Promise<T>,
): Promise<T> => withTarget(plan, secret, unlessStopped(use));

export const changingBoth = <T>(
  { plan, secret }: Asking,
  use: (databases: Databases) => Promise<T>,
): Promise<T> => withDatabases(plan, secret, unlessStopped(use));

/** Returns true if a query on the source returns a row. */
export const finds = (asking: Asking, sql: string): Promise<boolean> =>
  reading(asking, async (client) => (await client.query(sql)).rows.length > 0);
