// connect: creates the source connector STOPPED, reads its configuration back, resumes it, and
// watches its initial load. With `snapshot: copy`, Sluice first copies the tables itself. The phase
// then creates and starts the sink in the same way. An adopted connector already runs, so the phase
// does not create it.
import { condition } from '@temporalio/workflow';
import { sinkConnectors, sourceConnectors } from '../../domain/objects/connector.js';
import { signalGroups, sinkGroups } from '../../domain/objects/group.js';
import { KINDS } from '../../domain/objects/kinds.js';
import { call } from '../call.js';
import { areStarted, holdConnectors, startConnectors } from '../run/start-connectors.js';
import type { Run } from '../run/run.js';

/**
 * The list of the connectors' names is cut to this length, because Temporal's Web UI shows it in
 * the summary of an activity, which is short.
 */
const NAMED_LENGTH = 100;

export async function connect(run: Run): Promise<void> {
  if (!run.plan.capture.isAdopted) await connectSource(run);
  if (run.plan.sink) await connectSink(run);
}

const totalsOf = (run: Run): Record<string, number> =>
  Object.fromEntries(run.state.tables.map((t) => [t.table, t.rowsTotal ?? 0]));

async function connectSource(run: Run): Promise<void> {
  const { ref, plan } = run;
  const { hasSlot, loading } = plan.capture;
  const { slot } = plan.names;
  run.willMake(...(loading.makesSlotFirst ? [] : KINDS.slot.planned(plan)), ...signalGroups(plan));
  if (loading.copies) await copy(run);
  run.willMake(...sourceConnectors(plan));
  if (loading.claimsSlot)
    await run.step(() => call('quick', 'claimSlot', `Claim the name of slot ${slot}`, ref));
  const named = plan.sourceConnectors.join(', ').slice(0, NAMED_LENGTH);
  await run.step(() =>
    call('patient', 'ensureConnector', `Create connector ${named}, stopped`, ref, 'source'),
  );
  await startConnectors(run, 'source', `Start connector ${named}`);
  const { watch } = loading;
  if (watch !== null)
    run.state.tables = await run.step(() =>
      call(
        'long',
        watch,
        `Initial load of ${run.state.tables.length} table(s)`,
        ref,
        totalsOf(run),
      ),
    );
  if (loading.isSignalled) await repeatOverwritten(run);
  if (hasSlot) await identifySlot(run);
}

/** Writes the changes again that Debezium overwrote with older rows during a load in chunks. */
async function repeatOverwritten(run: Run): Promise<void> {
  const summary = 'Repeat the changes that the initial load overwrote';
  const rows = await run.step(async () => {
    // a retry may be starting the connector, which must stay stopped while changes are repeated
    await condition(() => run.comingBack === 0);
    holdConnectors(run, 'source'); // the activity stops and resumes the connector
    try {
      return await call('long', 'repeatOverwritten', summary, run.ref);
    } finally {
      // also after a failure, so that the guard reports a connector that is deleted or stopped
      areStarted(run, 'source');
    }
  });
  if (rows > 0) run.audit({ kind: 'load-repeated', rows });
}

async function identifySlot(run: Run): Promise<void> {
  const { ref, plan } = run;
  const { slot: name } = plan.names;
  const slot = await run.step(() => call('quick', 'identifySlot', `Read back slot ${name}`, ref));
  run.state.slotIdentified = true;
  const { confirmedLsn, restartLsn } = slot;
  run.audit({ kind: 'slot', slot: name, confirmedLsn, restartLsn });
}

/**
 * Loads the tables with Sluice's own copy instead of the connector's snapshot. The connector then
 * reads the WAL from the position at which the copy began.
 */
async function copy(run: Run): Promise<void> {
  const { ref, plan } = run;
  const { slot } = plan.names;
  run.state.tables = await run.step(() =>
    call(
      'long',
      'copyTables',
      `Create slot ${slot}, copy ${run.state.tables.length} table(s)`,
      ref,
      totalsOf(run),
    ),
  );
}

async function connectSink(run: Run): Promise<void> {
  const { ref, plan } = run;
  const { connector, writes } = plan.sink!;
  run.willMake(...KINDS['sink-table'].planned(plan));
  await run.step(() =>
    call(
      'quick',
      'ensureSinkTable',
      `Create sink table ${writes.batch.text} if it is missing`,
      ref,
    ),
  );
  run.willMake(...sinkGroups(plan), ...sinkConnectors(plan));
  await run.step(() => call('quick', 'claimGroup', 'Claim the consumer group of the sink', ref));
  await run.step(() =>
    call('patient', 'ensureConnector', `Create connector ${connector}, stopped`, ref, 'sink'),
  );
  await startConnectors(run, 'sink', `Start connector ${connector}`);
}
