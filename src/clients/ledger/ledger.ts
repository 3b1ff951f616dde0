// Reads and writes the ledger: the evidence, events and owned objects of every migration, in a
// Postgres database of the operator. Windows, evidence, facts and events are only appended. The
// ledger can be read without a worker and without Temporal.
import type { AuditEvent } from '../../domain/audit.js';
import type {
  ColumnTally,
  EvidenceLink,
  MigrationRef,
  OwnedObject,
  Status,
} from '../../domain/evidence/ledger-rows.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import type { Outcome } from '../../domain/migration/phase.js';
import type { WindowSample } from '../../domain/evidence/freshness-and-cost.js';
import type { Difference, WindowRow } from '../../domain/evidence/window.js';
import { Problem } from '../../domain/failure.js';
import { jsonText } from './json-text.js';
import { LedgerConnection } from './ledger-connection.js';
import { STORE_OBJECT, STORE_STATUS } from './late-writes.js';

export interface MigrationRecord {
  readonly name: string;
  readonly iteration: number;
  readonly generation: number;
  readonly run_key: string;
  readonly outcome: Outcome | null;
  readonly status: Status | null;
  readonly started_at: Date;
  readonly updated_at: Date;
  readonly plan_hash: string;
  readonly spec: MigrationSpec;
  /** The Temporal namespace of the migration's workflow. Null if the namespace was not recorded. */
  readonly namespace: string | null;
  readonly namespace_id: string | null;
}

/** Keeps only the newest iteration of each name. `records` MUST have the order of `migrations`. */
export const newestOf = (records: readonly MigrationRecord[]): MigrationRecord[] =>
  records.filter((record, at) => records[at - 1]?.name !== record.name);

/** The origin of a status. */
export interface StatusOrigin {
  /** The time of the request to store the status. It MUST be the same for every attempt. */
  readonly askedAt?: Date | null;
  /** The Temporal namespace of the run. It is stored only if the ledger does not have it. */
  readonly namespace?: { readonly name: string; readonly id: string | null } | null;
}

export type ObjectState = 'registered' | 'created' | 'removed' | 'handed-over';

const MAX_INT = 2 ** 31 - 1;

export class Ledger extends LedgerConnection {
  /**
   * Runs `use` on a snapshot of the ledger. Everything that `use` reads is consistent, even while
   * workers write.
   */
  async inSnapshot<T>(use: (view: Ledger) => Promise<T>): Promise<T> {
    return this.transaction(async (client) => {
      await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const view = new Ledger(this.url, { readOnly: this.readOnly });
      view.pinned = client;
      return use(view);
    });
  }

  /** Returns the records sorted by name, with the newest iteration of each name first. */
  async migrations(name?: string): Promise<MigrationRecord[]> {
    return this.query<MigrationRecord>(
      `SELECT name, iteration, generation, run_key, outcome, status, started_at, updated_at, plan_hash, spec, namespace, namespace_id
       FROM sluice.migration
       WHERE $1::text IS NULL OR name = $1 ORDER BY name, iteration DESC`,
      [name ?? null],
    );
  }

  /**
   * Stores the status. Also stores the run again if the ledger has lost it. A status in the
   * ledger that is newer by more than 5 s is not replaced: the statement of an attempt of the
   * activity that hung can arrive late.
   */
  async recordStatus(
    ref: MigrationRef,
    status: Status,
    { askedAt = null, namespace = null }: StatusOrigin = {},
  ): Promise<void> {
    await this.query(STORE_STATUS, [
      ref.name,
      ref.iteration,
      jsonText(status),
      ref.generation,
      status.outcome,
      ref.planHash,
      jsonText(ref.spec),
      ref.workflowId,
      ref.runKey,
      namespace?.name ?? null,
      namespace?.id ?? null,
      askedAt,
    ]);
  }

  async recordEvents(
    ref: Pick<MigrationRef, 'name' | 'iteration'>,
    events: readonly AuditEvent[],
  ): Promise<void> {
    for (const { id, at, kind, ...fields } of events) {
      await this.query(
        `INSERT INTO sluice.event (name, iteration, event_id, at, kind, fields) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
        [ref.name, ref.iteration, id, at, kind, jsonText(fields)],
      );
    }
  }

  async events(name: string, iteration: number): Promise<AuditEvent[]> {
    const rows = await this.query<{ id: string; at: Date; kind: string; fields: object }>(
      `SELECT event_id AS id, at, kind, fields FROM sluice.event WHERE name = $1 AND iteration = $2 ORDER BY seq`,
      [name, iteration],
    );
    return rows.map(
      ({ id, at, kind, fields }) => ({ id, at: at.toISOString(), kind, ...fields }) as AuditEvent,
    );
  }

  async windows(name: string, iteration: number): Promise<WindowRow[]> {
    const rows = await this.query<{ row: WindowRow }>(
      `SELECT row FROM sluice.window_row WHERE name = $1 AND iteration = $2 ORDER BY number, seq, subject`,
      [name, iteration],
    );
    return rows.map((r) => r.row);
  }

  /** Returns the sample (freshness and cost) of each window, in the order of the windows. */
  async samples(name: string, iteration: number): Promise<WindowSample[]> {
    const rows = await this.query<{ sample: WindowSample }>(
      `SELECT sample FROM sluice.sample WHERE name = $1 AND iteration = $2 ORDER BY number`,
      [name, iteration],
    );
    return rows.map((r) => r.sample);
  }

  /**
   * Counts the stored differences of each subject, by class and column. Includes the windows up to
   * the number `upTo`, or all windows if `upTo` is Infinity.
   */
  async differencesByColumn(
    name: string,
    iteration: number,
    upTo = Infinity,
  ): Promise<ColumnTally[]> {
    return this.query<ColumnTally>(
      `SELECT subject, difference->>'class' AS class, difference->>'column' AS column, count(*)::int AS kept, max(number)::int AS last
       FROM sluice.difference WHERE name = $1 AND iteration = $2 AND number <= $3 GROUP BY 1, 2, 3 ORDER BY kept DESC, 1, 2, 3`,
      [name, iteration, Number.isFinite(upTo) ? upTo : MAX_INT],
    );
  }

  /** Returns the evidence of every window, in the order of the windows. */
  async evidence(name: string, iteration: number): Promise<EvidenceLink[]> {
    return this.query<EvidenceLink>(
      `SELECT number, digest, chain, document FROM sluice.evidence WHERE name = $1 AND iteration = $2 ORDER BY number`,
      [name, iteration],
    );
  }

  async differences(
    name: string,
    iteration: number,
    number: number,
  ): Promise<{ subject: string; difference: Difference }[]> {
    return this.query(
      `SELECT subject, difference FROM sluice.difference WHERE name = $1 AND iteration = $2 AND number = $3 ORDER BY subject, seq`,
      [name, iteration, number],
    );
  }

  /**
   * Returns the state of an object, or null if this migration never owned it. With `iteration`, an
   * object that a later run of the same name has claimed counts as removed.
   */
  async objectState(
    { name, iteration = MAX_INT }: { readonly name: string; readonly iteration?: number },
    object: OwnedObject,
  ): Promise<ObjectState | null> {
    const rows = await this.query<{ state: ObjectState }>(
      `SELECT CASE WHEN iteration > $5 THEN 'removed' ELSE state END AS state FROM sluice.object
        WHERE name = $1 AND kind = $2 AND object_name = $3 AND location = $4`,
      [name, object.kind, object.name, object.where, iteration],
    );
    return rows[0]?.state ?? null;
  }

  /**
   * Stores the state of an object. Throws Problem `object-not-ours` for the state `registered` if
   * the run has ended or has begun a later generation, or if the name has a later run. Ignores
   * every other state if a later run of the name has the object. Ignores `created` if the object
   * was already removed or handed over.
   */
  async setObjectState(
    ref: Pick<MigrationRef, 'name' | 'iteration' | 'generation'>,
    object: OwnedObject,
    state: ObjectState,
  ): Promise<void> {
    const stored = await this.query(STORE_OBJECT, [
      ref.name,
      object.kind,
      object.name,
      object.where,
      ref.iteration,
      ref.generation,
      state,
    ]);
    if (state === 'registered' && stored.length === 0)
      throw new Problem(
        'object-not-ours',
        `run ${ref.iteration} of ${ref.name} has ended, or has begun a generation after ${ref.generation}, so it creates no ${object.kind} ${object.name}`,
      );
  }

  /** Returns the migrations with objects that may still exist and that were not handed over. */
  async ownersOfObjects(): Promise<ReadonlySet<string>> {
    const rows = await this.query<{ name: string }>(
      `SELECT DISTINCT name FROM sluice.object WHERE state IN ('registered', 'created')`,
    );
    return new Set(rows.map(({ name }) => name));
  }

  /**
   * Returns the migration's objects that exist or may exist, except those that were handed over.
   */
  async openObjects(name: string): Promise<OwnedObject[]> {
    const rows = await this.query<{
      kind: OwnedObject['kind'];
      object_name: string;
      location: string;
    }>(
      `SELECT kind, object_name, location FROM sluice.object WHERE name = $1 AND state IN ('registered', 'created') ORDER BY seq`,
      [name],
    );
    return rows.map((row) => ({ kind: row.kind, name: row.object_name, where: row.location }));
  }
}
