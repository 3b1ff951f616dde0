// Builds the evidence document of a window and its digest. The same plan at the same positions
// gives the same digest on any worker. The ledger chains the documents.
import { createHash } from 'node:crypto';
import type { BrokenGlass } from '../../domain/decisions/cosign.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { canonicalJson } from '../../domain/values/canonical-json.js';
import type { SubjectResult } from './subject-result.js';

export interface WindowEvidence {
  readonly digest: string;
  readonly document: object;
}

/**
 * Builds the evidence. `facts` is the digest of the facts that the window depends on; the ledger
 * has the facts. `barrier` is set only if it is another one than a migration's.
 */
export function evidenceOf(
  ref: MigrationRef,
  subjects: readonly SubjectResult[],
  facts: string | null,
  brokenGlass?: BrokenGlass,
  barrier?: object,
): WindowEvidence {
  const { validation } = ref.spec.spec;
  const document = {
    engine: validation.engine,
    encoding: 'enc-v1',
    migration: ref.name,
    generation: ref.generation,
    planHash: ref.planHash,
    facts,
    ...(brokenGlass ? { brokenGlass } : {}),
    ...(barrier ? { barrier } : {}),
    subjects: subjects.map(({ subject, mode, verdict, counts, proofs, position, proof }) => ({
      subject,
      mode,
      ...verdict,
      position,
      counts,
      proofs,
      ...proof,
    })),
  };
  return { digest: createHash('sha256').update(canonicalJson(document)).digest('hex'), document };
}
