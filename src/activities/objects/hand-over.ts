// The hand-over: every part of the running pipeline observed once more, then marked as the owner's. Nothing of it is ours to remove any more.
import { readTable } from '../../clients/postgres/catalog.js';
import { withSource } from '../../clients/postgres/connection.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { quoteLiteral, sinkGroup } from '../../domain/migration/names.js';
import type { Deps } from '../runtime/deps.js';
import { knownGroup } from '../barrier/group-readers.js';
import { claimGroup, isOurs } from './owned.js';
import { pollUntil } from '../runtime/poll-until.js';
import { hostOf } from '../pipelines/index.js';

const OBSERVE_MS = 60_000;

export function createHandOverActivities({ secret, ledger, systems }: Deps) {
  async function problemWith(
    ref: MigrationRef,
    { kind, name }: OwnedObject,
  ): Promise<string | null> {
    if (kind === 'topic')
      return (await systems.kafka(ref.spec).listTopics()).includes(name) ? null : 'is gone';
    if (kind === 'job') {
      const state = await hostOf(ref.spec, ref.generation)!.state(name);
      return 'running' in state ? null : `is not running: ${state.not}`;
    }
    // Flink assigns partitions itself: its group has offsets and no members.
    if (kind === 'group' && ref.spec.spec.pipeline?.groups.includes(name))
      return (await systems.kafka(ref.spec).groupOffsets(name)).size > 0 ? null : 'has no offsets';
    if (kind === 'group')
      return (await knownGroup(systems.kafka(ref.spec), name)).state === 'Stable'
        ? null
        : 'is not stable';
    if (kind === 'connector') {
      const status = await systems.connect(ref.spec).status(name);
      const states = status
        ? [status.connector.state, ...status.tasks.map((t) => t.state)]
        : ['missing'];
      return states.length > 1 && states.every((s) => s === 'RUNNING')
        ? null
        : `is ${states.join(', ')}`;
    }
    return withSource(ref.spec, secret, async (client) => {
      if (kind === 'sink') return (await readTable(client, name)) ? null : 'is gone';
      if (kind === 'publication')
        return (
          await client.query(`SELECT 1 FROM pg_publication WHERE pubname = ${quoteLiteral(name)}`)
        ).rows.length > 0
          ? null
          : 'is gone';
      const { rows } = await client.query<Record<string, string>>(
        `SELECT active FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(name)}`,
      );
      return rows[0]?.['active'] === 't' ? null : rows[0] ? 'is not in use' : 'is gone';
    });
  }

  return {
    /** Observes every kept object as present and running, then marks it handed over. Idempotent. */
    async handOver(
      ref: MigrationRef,
      kept: readonly OwnedObject[],
    ): Promise<{ kind: string; name: string }[]> {
      const { sink } = ref.spec.spec;
      const foreignSink: OwnedObject[] =
        sink && !kept.some((o) => o.kind === 'sink')
          ? [{ kind: 'sink', name: sink.table, where: ref.spec.spec.source.postgres.database }]
          : [];
      const all = [...kept, ...foreignSink];
      for (const object of all) {
        let problem: string | null = 'was not observed';
        const observed = await pollUntil(Date.now() + OBSERVE_MS, 250, async () => {
          problem = await problemWith(ref, object);
          return problem === null ? true : null;
        });
        if (!observed)
          throw new Problem(
            'connector-failed',
            `cannot hand over: ${object.kind} ${object.name} ${problem}`,
          );
      }
      for (const object of kept)
        if (await isOurs(ledger, ref, object))
          await ledger.setObjectState(ref, object, 'handed-over');
      return all.map(({ kind, name }) => ({ kind, name }));
    },

    /** Registers the sink connector's consumer group as ours before Connect makes it. */
    async claimGroup(ref: MigrationRef): Promise<void> {
      await claimGroup(ledger, systems.kafka(ref.spec), ref, sinkGroup(ref.spec, ref.generation));
    },
  };
}
