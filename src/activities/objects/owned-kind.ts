// The effects of a kind of object: is it there, make it, take it away, is it in use. The pure half
// is in src/domain/objects, under the same file name.
import { readSource, withSource, type SourceClient } from '../../clients/postgres/connection.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';

/** The access that checks of a plan need. An offline check has only this. */
export interface Asking extends Pick<Deps, 'secret' | 'systems'> {
  readonly plan: ResolvedPlan;
}

/** A run and its systems. The ledger knows the objects of the run, and may hold its lease row. */
export interface Site extends Asking, Pick<Deps, 'ledger'> {
  readonly ref: MigrationRef;
}

export interface OwnedKind {
  readonly exists: (site: Site, object: OwnedObject) => Promise<boolean>;
  /**
   * Null = something else makes it, after it was claimed: a group's first member, or the fence's
   * transaction.
   */
  readonly create: ((site: Site, object: OwnedObject) => Promise<void>) | null;
  /** Ends when it is gone, or throws. The caller has seen that it exists and is ours. */
  readonly remove: (site: Site, object: OwnedObject) => Promise<void>;
  /**
   * Null = present and in use, as its next owner expects it; otherwise what is wrong, as the end of
   * a sentence.
   */
  readonly healthy: (site: Site, object: OwnedObject) => Promise<string | null>;
  /**
   * The preflight check for the name. Null if a name of this kind cannot be taken, or if only its
   * creator can see it.
   */
  readonly nameCheck: NameCheck | null;
}

export interface NameCheck {
  /** The check that reports names of this kind. */
  readonly check:
    'source.names-free' | 'kafka.topics-free' | 'connect.name-free' | 'pipeline.names-free';
  /** Those of the objects whose name is in use, by us or by others. */
  readonly taken: (
    asking: Asking,
    objects: readonly OwnedObject[],
  ) => Promise<readonly OwnedObject[]>;
}

/** A name check that asks for one object after the other. */
export const askEach =
  (exists: (asking: Asking, object: OwnedObject) => Promise<boolean>): NameCheck['taken'] =>
  async (asking, objects) => {
    const taken: OwnedObject[] = [];
    for (const object of objects) if (await exists(asking, object)) taken.push(object);
    return taken;
  };

/** The health of an object that only has to be there. */
export const isThere =
  (exists: OwnedKind['exists']): OwnedKind['healthy'] =>
  async (site, object) =>
    (await exists(site, object)) ? null : 'is gone';

export const reading = <T>(
  { plan, secret }: Asking,
  use: (client: SourceClient) => Promise<T>,
): Promise<T> => readSource(plan, secret, use);

export const changing = <T>(
  { plan, secret }: Asking,
  use: (client: SourceClient) => Promise<T>,
): Promise<T> => withSource(plan, secret, use);

/** Returns whether a query on the source finds a row. */
export const finds = (asking: Asking, sql: string): Promise<boolean> =>
  reading(asking, async (client) => (await client.query(sql)).rows.length > 0);
