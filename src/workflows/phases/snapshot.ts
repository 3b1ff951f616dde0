// snapshot: creates the lease row. Then it creates the publication, the topics and, for some
// initial loads, the slot; or it adopts a capture that already runs. At the end, it takes the
// baseline of the source. Each object is added to the undo list before it is created.
import { KINDS } from '../../domain/objects/kinds.js';
import { call } from '../call.js';
import { describeAdopted } from '../../domain/capture/adopted.js';
import { areStarted } from '../run/start-connectors.js';
import type { Run } from '../run/run.js';

export async function snapshot(run: Run): Promise<void> {
  const { ref, plan } = run;
  run.willMake(...KINDS.lease.planned(plan));
  await run.step(() => call('quick', 'ensureLease', 'Create the lease row', ref));
  // the guard starts after the adoption, so that even its first check treats a missing slot as lost
  if (plan.capture.isAdopted) await adopt(run);
  run.startGuard();
  for (const publication of KINDS.publication.planned(plan)) {
    run.willMake(publication);
    await run.step(() =>
      call('quick', 'ensurePublication', `Create publication ${publication.name}`, ref),
    );
  }
  if (plan.capture.loading.makesSlotFirst) {
    run.willMake(...KINDS.slot.planned(plan));
    await run.step(() =>
      call('patient', 'ensureSlot', `Create replication slot ${plan.names.slot}`, ref),
    );
  }
  run.willMake(...KINDS.topic.planned(plan));
  if (plan.topics.length > 0)
    await run.step(() => call('patient', 'ensureTopics', 'Create topics', ref));
  const baseline = await run.step(() =>
    call('patient', 'takeBaseline', 'Baseline: schema, rows and size per table, WAL position', ref),
  );
  run.state.tables = baseline.tables.map(({ table, rows }) => ({
    table,
    rowsScanned: null,
    rowsTotal: rows,
  }));
  run.audit({
    kind: 'baseline',
    lsn: baseline.lsn,
    server: baseline.server,
    tables: baseline.tables.map(({ bytes: _bytes, ...table }) => table),
  });
}

/** Adopts objects that exist. They are never on the undo list, so no rollback removes them. */
async function adopt(run: Run): Promise<void> {
  const { ref, plan } = run;
  const adopted = await run.step(() =>
    call('patient', 'adoptObjects', `Adopt ${plan.adopts.length} object(s) as they are`, ref),
  );
  run.audit({ kind: 'adopted', objects: adopted.map(describeAdopted) });
  run.state.slotIdentified = true;
  areStarted(run, 'source');
}
