// connect: the source connector made STOPPED, read back, resumed, its initial load watched; then the sink the same way.
import { sinkConnectors, sourceConnectors } from '../../domain/objects/connector.js';
import { signalGroups, sinkGroups } from '../../domain/objects/group.js';
import { KINDS } from '../../domain/objects/kinds.js';
import { call } from '../activities.js';
import type { Run } from '../run/run.js';

export async function connect(run: Run): Promise<void> {
  await (run.plan.capture.kind === 'polling' ? connectPollers(run) : connectLogReader(run));
  if (run.plan.sink) await connectSink(run);
}

/** One connector for each table, or for the query. */
async function connectPollers(run: Run): Promise<void> {
  const { ref, plan } = run;
  const names = plan.sourceConnectors;
  run.willMake(...sourceConnectors(plan));
  await run.step(() =>
    call(
      'patient',
      'ensureConnector',
      `Create ${names.length} connector(s), stopped`,
      ref,
      'source',
    ),
  );
  await run.step(() =>
    call('patient', 'resumeConnector', `Start ${names.length} connector(s)`, ref, 'source'),
  );
  run.state.tables = await run.step(() =>
    call('long', 'watchPolled', 'Initial load', ref, totalsOf(run)),
  );
}

const totalsOf = (run: Run): Record<string, number> =>
  Object.fromEntries(run.state.tables.map((t) => [t.table, t.rowsTotal ?? 0]));

async function connectLogReader(run: Run): Promise<void> {
  const { ref, plan } = run;
  const { names } = plan;
  const { load } = plan.capture;
  run.willMake(...(load === 'incremental' ? signalGroups(plan) : KINDS.slot.planned(plan)));
  if (load === 'copy') await copy(run);
  run.willMake(...sourceConnectors(plan));
  if (load === 'initial')
    await run.step(() => call('quick', 'claimSlot', `Claim the name of slot ${names.slot}`, ref));
  await run.step(() =>
    call(
      'patient',
      'ensureConnector',
      `Create connector ${names.connector}, stopped`,
      ref,
      'source',
    ),
  );
  await run.step(() =>
    call('patient', 'resumeConnector', `Start connector ${names.connector}`, ref, 'source'),
  );
  if (load !== 'copy')
    run.state.tables = await run.step(() =>
      call(
        'long',
        'watchSnapshot',
        `Initial load of ${run.state.tables.length} table(s)`,
        ref,
        totalsOf(run),
      ),
    );
  const slot = await run.step(() =>
    call('quick', 'identifySlot', `Read back slot ${names.slot}`, ref),
  );
  run.state.slotIdentified = true;
  run.audit('slot', `${names.slot} at ${slot.confirmedLsn}, restart ${slot.restartLsn}`);
}

/** The initial load is ours; the connector then reads the log from where the copy began. */
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
  run.willMake(...KINDS.sink.planned(plan));
  await run.step(() =>
    call(
      'quick',
      'ensureSinkTable',
      `Create sink table ${writes.batch.text} where it is missing`,
      ref,
    ),
  );
  run.willMake(...sinkGroups(plan), ...sinkConnectors(plan));
  await run.step(() => call('quick', 'claimGroup', 'Claim the consumer group of the sink', ref));
  await run.step(() =>
    call('patient', 'ensureConnector', `Create connector ${connector}, stopped`, ref, 'sink'),
  );
  await run.step(() =>
    call('patient', 'resumeConnector', `Start connector ${connector}`, ref, 'sink'),
  );
}
