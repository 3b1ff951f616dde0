// snapshot: lease, publication, topics, then the baseline of the legacy database. Each is announced to the undo list before it is made.
import { namesOf, plannedTopics } from '../../domain/migration/names.js';
import { pollingOf } from '../../domain/migration/polling.js';
import { call } from '../activities.js';
import type { Run } from '../run/run.js';

export async function snapshot(run: Run): Promise<void> {
  const { ref } = run;
  const names = namesOf(ref.spec, ref.generation);
  const { batch, source, kafka } = run.spec;
  const { database } = source.postgres;
  run.willMake({ kind: 'lease', name: names.leaseSchema, where: batch ? database : 'ledger' });
  await run.step(() => call('quick', 'ensureLease', 'Create the lease row', ref));
  run.startGuard();
  if (!pollingOf(ref.spec)) {
    run.willMake({ kind: 'publication', name: names.publication, where: database });
    await run.step(() =>
      call('quick', 'ensurePublication', `Create publication ${names.publication}`, ref),
    );
    if (run.spec.connector.snapshot === 'incremental') {
      run.willMake({ kind: 'slot', name: names.slot, where: database });
      await run.step(() =>
        call('patient', 'ensureSlot', `Create replication slot ${names.slot}`, ref),
      );
    }
  }
  run.willMake(
    ...plannedTopics(ref.spec, ref.generation).map((name) => ({
      kind: 'topic' as const,
      name,
      where: kafka.brokers.join(','),
    })),
  );
  await run.step(() => call('patient', 'ensureTopics', 'Create topics', ref));
  const baseline = await run.step(() =>
    call('patient', 'takeBaseline', 'Baseline: schema, rows and size per table, WAL position', ref),
  );
  run.state.tables = baseline.tables.map(({ table, rows }) => ({
    table,
    rowsScanned: null,
    rowsTotal: rows,
  }));
  run.audit(
    'baseline',
    `${baseline.lsn} on ${baseline.server}: ${baseline.tables.map((t) => `${t.table} ${t.rows} rows (${t.fingerprint})`).join(', ')}`,
  );
}
