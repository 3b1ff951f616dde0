// Builds the configuration of Debezium's JDBC sink, which writes the records of the pipeline's
// output topic into the table that consumers will read.
import { targetPostgres } from '../domain/migration/databases.js';
import { sinkTableName } from '../domain/migration/sink-names.js';
import { sessionOptions, type TableOwner } from '../domain/routes/table-owner.js';
import type { ResolvedPlan } from '../domain/plan/resolved-plan.js';
import { formatOf } from '../domain/migration/topic-format.js';
import { sinkConverterConfig } from './converters.js';
import { jdbcUrl } from './jdbc-url.js';
import { placeholder } from './kafka-client-properties.js';

export const JDBC_SINK_CLASS = 'io.debezium.connector.jdbc.JdbcSinkConnector';

/**
 * Builds the sink's configuration. The spec MUST have a sink and a pipeline. `owner` is set after
 * the commit of a migration with a shared table. The sink then writes to the shared table, in
 * sessions with the owner's role. Without `owner`, it writes to the table that it uses before the
 * commit.
 */
export function jdbcSinkConfig(
  { spec, sink }: ResolvedPlan,
  owner: TableOwner | null = null,
): Record<string, string> {
  const { pipeline } = spec;
  if (!sink || !pipeline) throw new Error('jdbcSinkConfig needs spec.sink and spec.pipeline');
  const postgres = targetPostgres({ spec });
  return {
    'connector.class': JDBC_SINK_CLASS,
    'tasks.max': '1',
    topics: pipeline.output.topic,
    'connection.url': jdbcUrl(postgres, sink.connector, owner ? sessionOptions(owner) : undefined),
    'connection.username': postgres.user,
    ...(postgres.passwordFrom ? { 'connection.password': placeholder(postgres.passwordFrom) } : {}),
    'insert.mode': 'upsert',
    'primary.key.mode': 'record_key',
    'delete.enabled': 'true',
    // Postgres would change unquoted names to lower case, and keywords would fail
    'quote.identifiers': 'true',
    'schema.evolution': 'none', // the sink alters no table
    'collection.name.format': sinkTableName(sink.writes[owner ? 'stream' : 'batch']),
    'use.reduction.buffer': 'true',
    'connection.restart.on.errors': 'true',
    'flush.max.retries': '60',
    ...sinkConverterConfig(formatOf(pipeline.output), spec.kafka.registry),
    'consumer.override.isolation.level': 'read_committed',
    'consumer.override.auto.offset.reset': 'earliest',
    'consumer.override.session.timeout.ms': '6000',
    'consumer.override.heartbeat.interval.ms': '1500',
  };
}
