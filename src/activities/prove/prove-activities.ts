// Defines the activities of `sluice prove`, which tests a pipeline on a small part of the data (the
// slice). They only read the legacy database, and create no slot, publication, connector or table.
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { ProofInput, ProofResult, Replayed } from '../../domain/evidence/slice-proof.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { jsonText } from '../../clients/ledger/json-text.js';
import { pipelineDrained } from '../barrier/consumers-drained.js';
import type { Deps } from '../runtime/deps.js';
import { pollUntil } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { compareSlice, type Compared } from './compare-slice.js';
import { planProof, type ProofPlan } from './slice-plan.js';
import { claimedTopics, topicsOfProof } from './proof-topics.js';
import { replay } from './replay-slice.js';

const GROUP_ENDS_MS = 120_000;

type OwnNames = Pick<MigrationRef, 'spec' | 'name'>;

export function createProofActivities(deps: Deps) {
  const { systems, ledger } = deps;
  return {
    /**
     * Checks the spec and the slice, and plans the proof. Throws Problem `spec-invalid`, and
     * creates nothing, if the spec or the slice cannot be used.
     */
    async openProof(input: ProofInput, id: string, runKey: string): Promise<ProofPlan> {
      return planProof(deps, input, id, runKey);
    },

    ...withPlan({
      /**
       * Writes the slice into the proof's topics, from the same snapshot as the result of the
       * batch's query. Idempotent: a retry starts from the beginning.
       */
      async replaySlice(proof: ProofPlan & Planned): Promise<Replayed> {
        return replay(deps, proof);
      },

      /**
       * For each key of the slice, compares the pipeline's last value with the row that the batch's
       * query returned. Stores the differences in the ledger and does not return them.
       */
      async compareSlice(proof: ProofPlan & Planned, replayed: Replayed): Promise<Compared> {
        const compared = await compareSlice(deps, proof, replayed);
        await ledger.query(`UPDATE sluice.proof SET differences = $2 WHERE id = $1`, [
          proof.ref.name,
          jsonText(compared.differences),
        ]);
        // this keeps values of rows out of the workflow's history
        return { ...compared, differences: [] };
      },

      /**
       * Waits up to `patienceMs` until the pipeline has read all records of the slice. Returns null
       * if this is proven, otherwise the reason.
       */
      async awaitPipeline(
        { plan }: ProofPlan & Planned,
        patienceMs: number,
      ): Promise<string | null> {
        return pipelineDrained(systems.kafka(plan), plan, Date.now() + patienceMs);
      },
    }),

    /**
     * Waits up to two minutes until the pipeline has left its group. Then removes the proof's
     * topics and, if the pipeline has left it, the group. Returns the objects that are left.
     * Removes nothing if the proof has created no topic. Idempotent.
     */
    async removeProof(proof: OwnNames): Promise<string[]> {
      return removeProof(ledger, systems.kafka(proof.spec), proof.name);
    },

    async recordProof(result: ProofResult): Promise<void> {
      await ledger.query(`UPDATE sluice.proof SET result = $2, ended_at = now() WHERE id = $1`, [
        result.id,
        jsonText(result),
      ]);
    },
  };
}

async function removeProof(
  ledger: Deps['ledger'],
  kafka: KafkaPort,
  name: string,
): Promise<string[]> {
  const claimed = await claimedTopics(ledger, name);
  if (claimed.length === 0) return [];
  const idle = await pollUntil(Date.now() + GROUP_ENDS_MS, 200, async () => {
    const group = await kafka.describeGroup(name);
    return !('unknown' in group) && group.members.length === 0 ? true : null;
  });
  if (idle && (await kafka.groupOffsets(name)).size > 0)
    // if the group remains, it is returned as a leftover
    await kafka.deleteGroup(name).catch(() => undefined);
  const own = (): Promise<string[]> => topicsOfProof(ledger, kafka, name);
  for (const topic of await own()) await kafka.deleteTopic(topic);
  await pollUntil(Date.now() + 15_000, 100, async () => ((await own()).length === 0 ? true : null));
  const hasGroup = (await kafka.groupOffsets(name)).size > 0;
  const left = await own();
  if (left.length === 0 && !hasGroup)
    for (const topic of claimed)
      await ledger.setObjectState({ name, iteration: 1, generation: 1 }, topic, 'removed');
  return [...left.map((topic) => `topic ${topic}`), ...(hasGroup ? [`group ${name}`] : [])];
}
