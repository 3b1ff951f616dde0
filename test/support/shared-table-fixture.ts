// Gives the tests of a file one database with a shared table, and creates the table again before
// each test.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { checkSharedTable } from '../../src/activities/cutover/routes/shared-table-checks.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { SharedTablePlan } from '../../src/domain/routes/route.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { dropRoles, makeRoles, resetShared, sharedRef, sharedRows } from './shared-drill.js';

export class SharedTableFixture {
  drill!: Drill;
  /** The migration. A test may replace it. */
  ref!: MigrationRef;
  #attempt = 0;

  /** `database` is the name of the database that is created. */
  constructor(database: string) {
    beforeAll(async () => {
      this.drill = await openDrill(database);
      await makeRoles(this.drill);
    });
    afterAll(async () => {
      await dropRoles(this.drill);
      await this.drill.close();
    });
    beforeEach(async () => {
      this.#attempt += 1;
      await this.query('DROP TABLE IF EXISTS whole, child CASCADE');
      await resetShared(this.drill);
      this.ref = sharedRef(this.drill);
    });
  }

  async query<R extends object>(sql: string): Promise<R[]> {
    const { rows } = await this.drill.client.query<R>(sql);
    return rows;
  }

  /** Returns the rows of the shared table. */
  rows(): Promise<unknown[]> {
    return sharedRows(this.drill);
  }

  /** Returns the input of the test's attempt, for `fence`, `commitCutover` and `releaseFence`. */
  input(token: string): FenceInput {
    return { ref: this.ref, token, attempt: this.#attempt, epoch: 3, evidenceId: 'ev' };
  }

  /** Fences the table and tries to commit. Returns the reason of the refusal, or null. */
  async refusal(): Promise<string | null> {
    await this.drill.cutover.fence(this.input('token'));
    return (await this.drill.cutover.commitCutover(this.input('token'))).refused;
  }

  routeBack(): Promise<void> {
    return new MockActivityEnvironment().run(() => this.drill.cutover.routeBack(this.ref));
  }

  /** Returns what `doctor` says about the table, with the changes of `route` to the spec's route. */
  doctor(route: Partial<SharedTablePlan> = {}): ReturnType<typeof checkSharedTable> {
    const plan = resolve(this.ref);
    return withSource(this.ref.spec, resolveSecret, (client) =>
      checkSharedTable(client, plan, resolveSecret, {
        ...(plan.route as SharedTablePlan),
        ...route,
      }),
    );
  }
}
