// Explains the names in messages. A preflight check is explained by the question that it asks. A
// class of differences and a kind of audit event are explained by their meaning. The compiler
// reports each name that has no entry here.
import type { AuditKind } from '../../src/domain/audit.js';
import type { CheckName } from '../../src/domain/evidence/check.js';
import type { DifferenceClass } from '../../src/domain/evidence/window.js';

/** The question of each preflight check. A check that passes answers its question with yes. */
export const CHECK_MEANINGS: Readonly<Record<CheckName, string>> = {
  'adopt.topic': 'Does an adopted topic exist, and does it keep the latest record of every key?',
  'adopt.publication': 'Does the adopted publication carry every row of the tables?',
  'adopt.slot': 'Does the adopted slot exist, and does it belong to this database?',
  'adopt.connector':
    'Does the adopted connector read the slot, and write the topics so that windows can compare them?',
  'adopt.free': 'Are the adopted objects free, so that no other migration owns or adopts them?',
  'temporal.reachable': 'Does Temporal answer?',
  'ledger.reachable': 'Does the ledger answer?',
  'ledger.create': 'Does the ledger have its tables, or may the role create them?',
  'source.reachable': 'Can Sluice log in to the source database?',
  'target.reachable': 'Can Sluice log in to the target database?',
  'target.version': 'Is the target server Postgres 14 to 18?',
  'target.primary': 'Is the target server a primary? The sink and the commit write there.',
  'target.encoding': 'Is the encoding of the target database known?',
  'target.create':
    'May the role write in the target database, and create a schema for the lease row there?',
  'target.time-limits': 'Do timeouts of the role in the target leave the sink enough time?',
  'target.connections': 'Are enough connections to the target free?',
  'source.version': 'Is the server Postgres 14 to 18?',
  'source.encoding':
    'Is the encoding of the database known? With SQL_ASCII, a text may have bytes that are not UTF-8.',
  'source.primary': 'Is the server a primary? Evidence from a standby can be stale.',
  'source.wal-level': 'Is `wal_level` logical?',
  'source.slots':
    'Are at least two replication slots free, or three if windows or the cut-over use a temporary one (a witness)?',
  'source.senders': 'Are at least two WAL senders free?',
  'source.wal-headroom': 'Does the server keep as much WAL for a slot as `walBudget` allows?',
  'source.replication': 'May the role create replication slots?',
  'source.failover':
    'Can a standby keep the slot (`slot.failover`), and does the connector wait for that standby?',
  'source.long-transactions':
    'Is there no old transaction that would delay the creation of the slot?',
  'source.create': 'May the role write, and create a publication and a schema?',
  'source.time-limits': "Do the role's time limits leave enough time for the initial load?",
  'source.connections': "Do the connection limits leave room for Sluice's sessions?",
  'source.snapshot-time':
    'Is the transaction of the initial load so short that it does not hold back vacuum for long?',
  'source.names-free':
    'Are the names of the slot, the publication and the schema of the lease row free, or used by this migration?',
  privilege: 'Does the role have everything that `sluice init --sql` lists?',
  'table.exists': 'Does the table exist?',
  'table.kind': 'Is the object an ordinary or partitioned table that is logged?',
  'table.key': 'Does the table have a primary key?',
  'table.key-types': 'Can every column of the key be compared?',
  'table.column-names': 'Do the names of the columns differ by more than case?',
  'table.key-form':
    'Does each key value have only one text form? (1.5 and 1.50 would be in different partitions.) Or does the topic have only one partition?',
  'table.replica-identity': 'Can the table be published without breaking UPDATE and DELETE?',
  'table.owner': 'May the role publish the table?',
  'table.before-image':
    'If Flink reads the topic as a changelog, does every change carry the old row?',
  'table.select': 'May the role read the table?',
  'table.row-security': 'Does each login that reads the table see every row?',
  'table.types': 'Can every column be compared, or does the spec leave it out?',
  'table.message-size': 'Does every row fit into a Kafka message?',
  'table.copy': "Can Sluice's own copy write every column (`connector.snapshot: copy`)?",
  'table.chunks': 'Can Debezium read the table in chunks (`connector.snapshot: incremental`)?',
  'polling.deletes': 'Does the spec say what happens to deleted rows, which polling cannot see?',
  'polling.cursor': 'Do the columns that find new rows exist, with the right types?',
  'polling.nulls': 'Does every row have a value in one of the timestamp columns?',
  'polling.clock': 'Are times without zone in UTC?',
  'polling.future': "Are the times of all rows at or before the time of the database's clock?",
  'polling.index': 'Does an index help to find new rows in a large table?',
  'polling.query': 'Does the query return one row per key, and the same rows when run twice?',
  'polling.mode': 'Does the installed JDBC source read every new row in this mode?',
  'polling.plugin': 'Can the installed JDBC source carry every column, and report its polls?',
  'polling.delay': 'Do writing transactions commit within `connector.delay`?',
  'batch.query': 'Does the query run, return its key, and return only types that can be compared?',
  'batch.stage':
    'Does the query of each stage run, return its key, and return only types that can be compared?',
  'batch.reads': 'Does the query depend only on captured tables, and not on the clock?',
  'batch.run':
    'Is the key unique and never NULL? Does every session get the same result? Do the values stay the same in the columns of the result table?',
  'batch.result': 'Does the result table have the columns of the query?',
  'batch.actions': 'Does Postgres accept the statements in `pause`, `resume` and `retire`?',
  'batch.runs': 'Can Sluice see when the batch runs?',
  'batch.aligned':
    'Is it known whether windows compare the query exactly or in settled rounds? The detail says which, and why.',
  'batch.closed-keys': 'Does `closedKeys` read only columns of the key?',
  'sink.table': "Does the sink's table fit and is it empty, or can Sluice create it?",
  'sink.similar-names':
    "Does every other table that the sink could confuse with its own have the same types? The sink looks for its table's columns with LIKE, and `_` in a name then matches every character.",
  'fence.source': 'May the role create the triggers of `fence: source`?',
  'route.view':
    "Can the commit replace the batch's table in the view, so that its readers keep their privileges?",
  'route.table':
    "Can the stream's role become the only writer of the table? Do the table's columns and triggers, and the sink's session, allow it?",
  'route.http': 'Does the service answer, and say that it serves the batch?',
  'validation.compare':
    'Does every column that `validation.compare` names exist, and does each entry have an effect?',
  'validation.engine': 'Does the SQL Gateway run a statement?',
  'validation.login': 'Can the processes of Flink log in to Kafka?',
  'kafka.reachable': 'Does a broker answer?',
  'kafka.acls': "Would the brokers' ACLs let Sluice create its topics?",
  'kafka.sasl': 'Is the password or the token sent encrypted?',
  'kafka.replication': 'Are there as many brokers as copies of each topic?',
  'kafka.topics-free': 'Are the names of the topics free, or used by this migration?',
  'kafka.topic-names': 'Does Kafka accept the names of the topics?',
  'registry.reachable': 'Does the schema registry answer, and accept the login?',
  'registry.auth': 'Is the login at the registry sent encrypted?',
  'registry.converter': 'Is the Avro converter installed at Kafka Connect?',
  'registry.defaults': 'Does the converter keep NULL in a column that has a default?',
  'registry.names': 'Can Avro carry the names of the columns?',
  'connect.reachable':
    'Does Kafka Connect answer? With Strimzi: is the KafkaConnect resource ready, and does it use connector resources?',
  'connect.source': "Can the source connector's configuration be computed?",
  'connect.plugin': 'Is the plugin of the connector installed?',
  'connect.auth': 'Is the login at Kafka Connect sent encrypted?',
  'connect.config': 'Does the plugin itself accept the configuration?',
  'connect.access': 'With Strimzi: does the login have every right of the Role?',
  'connect.operator':
    'With Strimzi: do the CRDs show version 1.2.0 or later, whose operator creates connectors without starting them?',
  'connect.resource': 'With Strimzi: does Kubernetes accept the resource of the connector?',
  'connect.secrets':
    'With Strimzi: does Kafka Connect have a provider for each placeholder of a secret?',
  'connect.name-free': "Is the connector's name free, or used by this migration?",
  'pipeline.reachable': 'Does Flink or ksqlDB answer?',
  'pipeline.statements': 'Does Flink or ksqlDB accept the statements of the pipeline?',
  'pipeline.names-free': 'Are the names of the jobs free, or used by this migration?',
  'pipeline.groups': 'Can Kafka describe the consumer groups of the pipeline?',
};

/** The meaning of each class of differences. */
export const DIFFERENCE_MEANINGS: Readonly<Record<DifferenceClass, string>> = {
  missing: 'The batch has the row, and the stream does not.',
  extraneous: 'The stream has the row, and the batch does not.',
  mismatched: 'Both sides have the row, with different values.',
  stale: 'Both sides have the row, but the stream has an earlier version of it.',
  late: 'Not reported by this version.',
  duplicate:
    'Several records of the key have the same WAL position (LSN). This class is listed together with a difference, and is not counted separately.',
  type: "The value of the stream is not of the column's type, so it differs.",
  undecodable: 'The record, or one of its values, cannot be read. The key counts as unknown.',
  unstable:
    'The row changed, or got a new record, in every round. The key is proven neither equal nor different.',
  'not-capturable':
    'A polled row was deleted, has no time, or changed without a new time or id, which polling cannot see. The key counts as unknown.',
  'batch-was-wrong':
    'The stored result differs from the stream. But the query of the batch, run again over the same input, gives the result of the stream.',
};

/** Says what each kind of audit event records. */
export const AUDIT_MEANINGS: Readonly<Record<AuditKind, string>> = {
  opened: 'The run was opened in the ledger.',
  phase: 'A phase began.',
  waived: 'A check failed, and the spec waives it.',
  baseline: 'Before the initial load, the tables were counted, or estimated if they are large.',
  slot: 'The replication slot exists; the event has its positions.',
  'load-repeated':
    'The load `incremental` had overwritten changes that were already in the topic. They were written again.',
  adopted: 'The migration adopted objects that existed before, as they are.',
  'left-untouched': 'The run ended, and left the adopted objects as they are.',
  pipeline: 'Jobs were deployed.',
  'caught-up': 'All changes up to a position passed connector, pipeline and sink in time.',
  window: 'A window ended, with its verdict.',
  'window-repeated': 'A later attempt measured a window that the ledger already has.',
  'full-window': 'A window read every row; the event says why.',
  'harmless-restart':
    'A connector, task or group member restarted with the same version and configuration. The restart costs one full window.',
  epoch: 'A new epoch began, so earlier evidence and approvals do not count; the event says why.',
  'needs-approval': 'The run asks for an approval.',
  approve: 'A person approved; the event says whether it was accepted.',
  edit: 'A person changed the spec; the event says which fields, and whether it was accepted.',
  'window-asked': 'A person asked for a window now.',
  reject: 'A person rejected; the event says whether it was accepted.',
  'complete-early': 'A person asked to end the soak early.',
  'break-glass': 'A person signed a request to relax the approval rules for an hour.',
  'glass-broken': 'Two people signed, so the approval rules are relaxed for an hour.',
  ignored: 'A message changed nothing; the event says why.',
  'back-to-validate': 'The run returned to the phase `validate`; the event says why.',
  step: 'A step of the cut-over began.',
  waiting: 'The cut-over waits for a run of the batch to end.',
  fenced: 'The fence was set, with the position of its marker.',
  proof:
    'Sluice proved one part of the drain: one section of the path has everything from before the fence.',
  drained: 'Everything before the fence has passed the path.',
  committed: 'The cut-over was committed: the lease row has the state SWITCHED.',
  released: 'The fence was released without a commit; the event says why.',
  rehearsal: 'A person asked for a rehearsal.',
  rehearsed: 'A rehearsal ended, with the measured hold.',
  route: 'Sluice observed which side consumers read.',
  readers: "Some statements still read the batch's table.",
  extended: 'A person extended the soak.',
  blocked: 'The run is blocked, with its code.',
  unblocked: 'The run continues.',
  retry: 'A person asked to try again.',
  paused: 'A person paused the run.',
  resumed: 'A person resumed the run.',
  guard: 'The guard failed; the event says whether it starts again.',
  restarted: "The guard restarted a connector's task.",
  'gave-up': 'The guard no longer restarts this connector.',
  connector: "A connector's problem began or ended.",
  'pause-ended':
    'A window paused the connector, and its worker died. The guard resumed the connector.',
  'wal-alarm': 'The WAL that the slot retains exceeded the budget, or is within it again.',
  'slot-lost': 'The slot is gone or invalidated, or another system uses it.',
  'wal-budget': 'The slot was dropped, because it retained too much WAL.',
  'way-back':
    'The run began to go back to the batch, or to abort; the event says who asked for it, and why.',
  outcome: 'The run ended.',
  swept: 'A person removed what a terminated run left.',
};
