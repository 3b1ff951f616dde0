// Finds the topics of one run of `sluice prove` (a proof). Sluice creates some of them, and a Kafka
// Streams application with the proof's id creates the others.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Ledger } from '../../clients/ledger/ledger.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';

/** Returns the topics that a proof has claimed. If there are none, it has created no topic. */
export const claimedTopics = async (
  ledger: Pick<Ledger, 'openObjects'>,
  id: string,
): Promise<OwnedObject[]> => (await ledger.openObjects(id)).filter(({ kind }) => kind === 'topic');

/**
 * Returns the existing topics whose names begin with the id of a proof, without the topics of other
 * proofs. An id can begin with another id: proof 2 of `sales` is `proof-sales-2`, and proof 1 of
 * `sales-2-eu` is `proof-sales-2-eu-1`.
 */
export async function topicsOfProof(
  ledger: Pick<Ledger, 'query'>,
  kafka: Pick<KafkaPort, 'listTopics'>,
  id: string,
): Promise<string[]> {
  const others = await ledger.query<{ id: string }>(
    `SELECT id FROM sluice.proof WHERE starts_with(id, $1 || '-')`,
    [id],
  );
  const isOf = (topic: string, proof: string): boolean =>
    topic.startsWith(`${proof}.`) || topic.startsWith(`${proof}-`);
  return (await kafka.listTopics()).filter(
    (topic) => isOf(topic, id) && !others.some((other) => isOf(topic, other.id)),
  );
}
