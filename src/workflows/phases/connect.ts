// connect: the source connector made STOPPED, read back, resumed, its initial load watched; then the sink the same way.
import { namesOf, sinkGroup, sourceConnectors } from '../../domain/migration/names.js';
import { pollingOf } from '../../domain/migration/polling.js';
import { sinkTable } from '../../domain/routes/shared-table.js';
import { call } from '../activities.js';
import type { Run } from '../run/run.js';

export async function connect(run: Run): Promise<void> {
  await (pollingOf(run.ref.spec) ? connectPollers(run) : connectLogReader(run));
  if (run.spec.sink) await connectSink(run);
}

/** One connector for each table, or for the query. */
async function connectPollers(run: Run): Promise<void> {
  const { ref } = run;
  const names = sourceConnectors(ref.spec, ref.generation);
  run.willMake(
    ...names.map((name) => ({ kind: 'connector' as const, name, where: run.spec.connector.url })),
  );
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
  const { ref } = run;
  const names = namesOf(ref.spec, ref.generation);
  const { source, connector, kafka } = run.spec;
  const { snapshot } = connector;
  if (snapshot === 'incremental')
    run.willMake({ kind: 'group', name: names.signalGroup, where: kafka.brokers.join(',') });
  else run.willMake({ kind: 'slot', name: names.slot, where: source.postgres.database });
  if (snapshot === 'copy') await copy(run);
  run.willMake({ kind: 'connector', name: names.connector, where: connector.url });
  if (snapshot === 'initial')
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
  if (snapshot !== 'copy')
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
  const { ref } = run;
  const { slot } = namesOf(ref.spec, ref.generation);
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
  const { ref } = run;
  const names = namesOf(ref.spec, ref.generation);
  const { connector, kafka, source } = run.spec;
  const table = sinkTable(ref.spec, 'batch');
  run.willMake({ kind: 'sink', name: table, where: source.postgres.database });
  await run.step(() =>
    call('quick', 'ensureSinkTable', `Create sink table ${table} where it is missing`, ref),
  );
  run.willMake(
    { kind: 'group', name: sinkGroup(ref.spec, ref.generation), where: kafka.brokers.join(',') },
    { kind: 'connector', name: names.sinkConnector, where: connector.url },
  );
  await run.step(() => call('quick', 'claimGroup', 'Claim the consumer group of the sink', ref));
  await run.step(() =>
    call(
      'patient',
      'ensureConnector',
      `Create connector ${names.sinkConnector}, stopped`,
      ref,
      'sink',
    ),
  );
  await run.step(() =>
    call('patient', 'resumeConnector', `Start connector ${names.sinkConnector}`, ref, 'sink'),
  );
}
