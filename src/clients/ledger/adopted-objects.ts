// Stores in the ledger the objects that a migration adopted. Adopted objects have a separate table,
// so code that removes or hands over Sluice's objects never sees them.
import type { MigrationRef, ObjectKind, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { jsonText } from './json-text.js';
import type { Ledger } from './ledger.js';

export interface AdoptedRow extends OwnedObject {
  /**
   * Describes the object at its adoption, for example by a topic's id. If the text is different
   * later, the object was changed or replaced.
   */
  readonly identity: string;
}

type Run = Pick<MigrationRef, 'name' | 'iteration' | 'generation'>;

/** A migration that owns or has adopted an object. */
export interface Holder {
  readonly migration: string;
  readonly object: OwnedObject;
}

export const describeHolder = ({ migration, object: { kind, name } }: Holder): string =>
  `${kind} ${name} belongs to migration ${migration}`;

// For an object that Sluice created, the ledger records the name of its database, but not the
// server. Two servers may have databases with the same name. An adopted object's location ($4) has
// the server's address. The query therefore takes the address of a created object from the spec of
// its owner.
const HELD = `
SELECT name AS migration FROM sluice.adopted WHERE name <> $1 AND kind = $2 AND object_name = $3 AND location = $4 AND released_at IS NULL
UNION ALL
SELECT o.name FROM sluice.object o JOIN sluice.migration m ON m.name = o.name AND m.iteration = o.iteration
WHERE o.kind = $2 AND o.object_name = $3 AND o.state IN ('registered', 'created')
  AND (o.location = $4 OR (m.spec #>> '{spec,source,postgres,host}') || ':' || (m.spec #>> '{spec,source,postgres,port}') || '/' || o.location = $4)
LIMIT 1`;

/**
 * Returns the objects that the migration `name` must not adopt, each with its holder. The holder is
 * any migration that owns the object, or another migration that has adopted it.
 */
export async function heldObjects(
  ledger: Pick<Ledger, 'query'>,
  name: string,
  objects: readonly OwnedObject[],
): Promise<Holder[]> {
  const held: Holder[] = [];
  for (const object of objects) {
    const rows = await ledger.query<{ migration: string }>(HELD, [
      name,
      object.kind,
      object.name,
      object.where,
    ]);
    if (rows[0]) held.push({ migration: rows[0].migration, object });
  }
  return held;
}

/** Returns the ledger's time, for the parameter `begun` of `recordAdopted`. */
export async function ledgerTime(ledger: Pick<Ledger, 'query'>): Promise<string> {
  const rows = await ledger.query<{ at: string }>(`SELECT clock_timestamp()::text AS at`);
  return rows[0]!.at;
}

/**
 * Records the adopted objects in one statement. A repeated call has the same result. Records
 * nothing and returns `taken` if another migration has adopted one of them meanwhile. Records
 * nothing and returns `ended` if the run has ended, or has released its objects since `begun`. In
 * both cases of `ended`, no run would ever release the new rows.
 */
export async function recordAdopted(
  ledger: Pick<Ledger, 'query'>,
  { name, iteration, generation }: Run,
  objects: readonly AdoptedRow[],
  begun: string,
): Promise<'recorded' | 'taken' | 'ended'> {
  const rows = objects.map((o) => ({
    kind: o.kind,
    object_name: o.name,
    location: o.where,
    identity: o.identity,
  }));
  try {
    const recorded = await ledger.query(
      `INSERT INTO sluice.adopted (name, kind, object_name, location, identity, iteration, generation)
       SELECT $1, kind, object_name, location, identity, $2, $3 FROM jsonb_to_recordset($4::jsonb) AS r (kind text, object_name text, location text, identity text)
        WHERE EXISTS (SELECT FROM sluice.migration AS m WHERE m.name = $1 AND m.iteration = $2 AND m.outcome IS NULL)
          AND NOT EXISTS (SELECT FROM sluice.adopted AS a WHERE a.name = $1 AND a.released_at >= $5::timestamptz)
       ON CONFLICT (name, kind, object_name, location) DO UPDATE
         SET identity = excluded.identity, iteration = excluded.iteration, generation = excluded.generation, adopted_at = now(), released_at = NULL
       RETURNING seq::text`,
      [name, iteration, generation, jsonText(rows), begun],
    );
    return recorded.length === objects.length ? 'recorded' : 'ended';
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'adopted_once') return 'taken';
    throw error;
  }
}

/**
 * Ends the adoption of all objects of a run and of earlier runs of its name, and returns these
 * objects. The objects do not change.
 */
export async function releaseAdopted(
  ledger: Pick<Ledger, 'query'>,
  { name, iteration }: Pick<Run, 'name' | 'iteration'>,
): Promise<AdoptedRow[]> {
  const rows = await ledger.query<{
    kind: ObjectKind;
    object_name: string;
    location: string;
    identity: string;
  }>(
    `WITH released AS (
       UPDATE sluice.adopted SET released_at = now() WHERE name = $1 AND iteration <= $2 AND released_at IS NULL RETURNING *
     ) SELECT kind, object_name, location, identity FROM released ORDER BY seq`,
    [name, iteration],
  );
  return rows.map(({ kind, object_name, location, identity }) => ({
    kind,
    name: object_name,
    where: location,
    identity,
  }));
}
