// Finds, before a comparison begins, the tables and topics that it cannot read. Each reason names
// the object, and the remedy if it is known.
import { readTable } from '../../../clients/postgres/catalog.js';
import type { SourceClient } from '../../../clients/postgres/connection.js';
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import { plainIdent } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { checkTable } from '../../checks/table-checks.js';
import { classify } from '../../runtime/application-failure.js';

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
  i: 'an index',
};

/**
 * Returns a reason for each table that cannot be compared. The reason is a problem of the table or
 * of its topic.
 */
export async function unreadable(
  client: SourceClient,
  kafka: KafkaPort,
  plan: ResolvedPlan,
): Promise<ReadonlyMap<string, string>> {
  const topics = new Set(await kafka.listTopics());
  const found = new Map<string, string>();
  for (const { subject, topic } of plan.captures) {
    const reason =
      (await tableProblem(client, plan, subject)) ??
      (await topicProblem(kafka, topics, topic, plan.spec.kafka.partitions));
    if (reason) found.set(subject, reason);
  }
  return found;
}

async function tableProblem(
  client: SourceClient,
  plan: ResolvedPlan,
  text: string,
): Promise<string | null> {
  const table = await readTable(client, text);
  if (!table) return `table ${text} does not exist, or the role cannot see its schema`;
  const kind = KINDS[table.kind];
  if (kind)
    return `${text} is ${kind}: no topic contains its rows under its name; name ordinary tables instead`;
  if (!table.canSelect)
    return `the role cannot read ${text}: GRANT SELECT ON ${text} TO ${plainIdent(plan.spec.source.postgres.user)}`;
  const checks = await checkTable(client, plan, text, table, { readsOnly: true });
  const open = checks.find(({ status }) => status !== 'passed');
  return open ? `${open.name} ${text}: ${open.detail}; ${open.remedy}` : null;
}

async function topicProblem(
  kafka: KafkaPort,
  topics: ReadonlySet<string>,
  topic: string,
  partitions: number,
): Promise<string | null> {
  if (!topics.has(topic))
    return `topic ${topic} does not exist, or this user cannot describe it; use existing.topics to name a different topic`;
  try {
    const ends = await kafka.offsets(topic);
    if (ends.length !== partitions)
      return `topic ${topic} has ${ends.length} partitions, but the spec says ${partitions}; set kafka.partitions: ${ends.length}`;
    const cut = ends.find(({ low }) => low > 0);
    return cut
      ? `topic ${topic}/${cut.partition} begins at offset ${cut.low}: retention or a person deleted its beginning. Rows whose records are gone look like rows that never arrived; load the table into a new topic that is only compacted`
      : null;
  } catch (error) {
    return `topic ${topic} cannot be read: ${classify(error).message}`;
  }
}
