// Provides migrations whose slot can retain more WAL than their budget. Each test file has a ledger
// of its own. The ledger and the slots are real.
import { afterAll, beforeAll } from 'vitest';
import { planned, type Planned } from '../../src/activities/runtime/with-plan.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { connectPlace } from '../../src/domain/migration/connect-control.js';
import type { Phase } from '../../src/domain/migration/phase.js';
import { aRef } from './builders.js';
import { freshDatabase, testPostgres, urlOf } from './sluice.js';
import { aStatus } from './status.js';

export type Budgets = ReturnType<typeof useBudgets>;

/** Creates a database for the tests of a file. It is both source and ledger. */
export function useBudgets() {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let ledger: Ledger;
  beforeAll(async () => {
    database = await freshDatabase('CREATE TABLE accounts (id int PRIMARY KEY)');
    ledger = new Ledger(urlOf(database.name));
    await ledger.migrate();
  });
  afterAll(async () => {
    await ledger.close();
    await database.drop();
  });

  /** Creates or changes the lease row of a migration without a batch. */
  async function setLease(name: string, state: 'OPEN' | 'FENCED' | 'SWITCHED'): Promise<void> {
    await ledger.query(
      `INSERT INTO sluice.lease (migration, state, epoch, expires_at) VALUES ($1, $2, 1, now() + interval '1 hour')
       ON CONFLICT (migration) DO UPDATE SET state = excluded.state`,
      [name, state],
    );
  }

  /** Stores a migration of this name in the ledger. Returns its plan. */
  async function aMigration(
    name: string,
    more: Record<string, unknown> = {},
    phase: Phase = 'approve',
  ): Promise<Planned> {
    const ref = aRef({
      name,
      spec: {
        source: {
          postgres: testPostgres(database.name),
          tables: ['public.accounts'],
          walBudget: { bytes: '1MiB', onExhaustion: 'drop-slot' },
        },
        ...more,
      },
    });
    await ledger.query(
      `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash, status) VALUES ($1, 1, 1, $2, $1, $3, 'h', $4)`,
      [
        name,
        ref.workflowId,
        JSON.stringify(ref.spec),
        JSON.stringify(aStatus({ name, phase, needsApproval: true, evidenceId: 'ev-1' })),
      ],
    );
    await setLease(name, 'OPEN');
    return planned(ref);
  }

  /**
   * Creates a migration's slot, and writes more WAL than the migration's budget. Returns the slot's
   * name. If `isOurs` is false, the ledger does not list the slot.
   */
  async function anOverfullSlot({ ref, plan }: Planned, isOurs = true): Promise<string> {
    const { slot } = plan.names;
    await database.client.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    await database.client.query(
      `SELECT pg_logical_emit_message(true, 'filler', repeat('x', 4000000))`,
    );
    const object = { kind: 'slot', name: slot, where: plan.database } as const;
    if (isOurs) await ledger.setObjectState(ref, object, 'created');
    return slot;
  }

  /** Makes the ledger say that this migration created its connector. */
  async function ownConnector({ ref, plan }: Planned): Promise<void> {
    const where = connectPlace(plan.spec.connector);
    const object = { kind: 'connector', name: plan.names.connector, where } as const;
    await ledger.setObjectState(ref, object, 'created');
  }

  const isThere = async (slot: string): Promise<boolean> =>
    (await database.client.query(`SELECT FROM pg_replication_slots WHERE slot_name = $1`, [slot]))
      .rowCount === 1;

  /** Drops a slot that Sluice kept. Fails if it does not exist. */
  const drop = (slot: string) =>
    database.client.query(`SELECT pg_drop_replication_slot($1)`, [slot]);

  return {
    aMigration,
    anOverfullSlot,
    drop,
    isThere,
    ownConnector,
    setLease,
    get database() {
      return database;
    },
    get ledger() {
      return ledger;
    },
  };
}
