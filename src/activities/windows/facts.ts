// What evidence rests on, as comparable text: when one of these changes, what was proven before proves nothing now (a new epoch).
import { createHash } from 'node:crypto';
import { readTable } from '../../clients/catalog.js';
import { withSource } from '../../clients/source.js';
import { debeziumPostgresConfig } from '../../connectors/debezium-postgres.js';
import { jdbcSinkConfig } from '../../connectors/jdbc-sink.js';
import type { Facts } from '../../domain/epoch.js';
import type { MigrationRef } from '../../domain/ledger.js';
import { jobNames, namesOf, plannedTopics, quoteLiteral, sinkGroup } from '../../domain/names.js';
import { driftOf } from '../connect.js';
import type { Deps } from '../deps.js';
import { gatewayOf } from '../pipeline.js';
import { serverIdentity } from '../source.js';

/** Throws when a fact cannot be read: unknown is not unchanged. */
export async function readFacts({ secret, systems }: Deps, ref: MigrationRef): Promise<Facts> {
  const names = namesOf(ref.spec, ref.generation);
  const source = await withSource(ref.spec, secret, async (client) => {
    const slot = await client.query<Record<string, string | null>>(`SELECT active_pid FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(names.slot)}`);
    const published = await client.query<Record<string, string>>(
      `SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = ${quoteLiteral(names.publication)} ORDER BY 1, 2`,
    );
    const shapes: unknown[] = [];
    for (const table of ref.spec.spec.source.tables) {
      const catalog = await readTable(client, table);
      shapes.push(catalog && [catalog.columns, catalog.key, catalog.replicaIdentity]);
    }
    return {
      server: await serverIdentity(client),
      // The walsender that serves the slot: another one means that the connector's task restarted.
      'connector task': `walsender ${slot.rows[0]?.['active_pid'] ?? 'none'}`,
      publication: digest(published.rows),
      schema: digest(shapes),
    };
  });
  const rest = systems.connect(ref.spec);
  const kafka = systems.kafka(ref.spec);
  const facts: Record<string, string> = { ...source };
  facts['connector config'] = describeDrift(driftOf(debeziumPostgresConfig(ref.spec, ref.generation), await rest.config(names.connector)));
  if (ref.spec.spec.sink) {
    facts['sink config'] = describeDrift(driftOf(jdbcSinkConfig(ref.spec, ref.generation), await rest.config(names.sinkConnector)));
    facts['sink group'] = digest((await kafka.describeGroup(sinkGroup(ref.spec, ref.generation))).members);
  }
  for (const group of ref.spec.spec.pipeline?.groups ?? []) {
    const { state, members } = await kafka.describeGroup(group);
    facts[`pipeline group ${group}`] = `${state} ${digest(members)}`;
  }
  Object.assign(facts, await pipelineFacts(ref));
  const partitions: unknown[] = [];
  for (const topic of plannedTopics(ref.spec, ref.generation)) partitions.push([topic, (await kafka.describeTopic(topic))?.partitions ?? 'missing']);
  facts['topics'] = digest(partitions);
  return facts;
}

/** The jobs that we deployed: another id is another deployment. */
async function pipelineFacts(ref: MigrationRef): Promise<Record<string, string>> {
  const names = jobNames(ref.spec, ref.generation);
  if (names.length === 0) return {};
  const jobs = await gatewayOf(ref).session((session) => session.jobs());
  return Object.fromEntries(
    names.map((name) => [
      `pipeline job ${name}`,
      jobs
        .filter((j) => j.name === name && j.status === 'RUNNING')
        .map((j) => j.id)
        .join() || 'not running',
    ]),
  );
}

const describeDrift = (keys: readonly string[]): string => (keys.length === 0 ? 'as planned' : `differs in ${keys.join(', ')}`);
const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
