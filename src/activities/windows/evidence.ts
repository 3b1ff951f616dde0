// Builds the evidence document of a window, which contains its verdicts, counts and positions. Also
// computes the digest of the document. The ledger links the documents into a chain.
import { createHash } from 'node:crypto';
import type { BrokenGlass } from '../../domain/decisions/cosign.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { RecentResult } from '../../domain/plan/final-result.js';
import { canonicalJson } from '../../domain/values/canonical-json.js';
import { jsonText } from '../../clients/ledger/json-text.js';
import type { SubjectOutcome } from './subject-outcome.js';

export interface WindowEvidence {
  readonly digest: string;
  readonly document: object;
}

/** The parts of the evidence that only some windows have. */
export interface Special {
  readonly brokenGlass?: BrokenGlass;
  /**
   * The earlier window that proved the results. Set only if this is a final window that compares
   * only tables.
   */
  readonly resultsRestOn?: RecentResult;
  /** The barrier of `sluice compare`, which differs from a migration's barrier. */
  readonly barrier?: object;
}

/**
 * Builds the evidence. `facts` is the digest of the facts that the window depends on; the ledger
 * stores the facts themselves.
 */
export function evidenceOf(
  ref: MigrationRef,
  subjects: readonly SubjectOutcome[],
  facts: string | null,
  special: Special = {},
): WindowEvidence {
  const { validation } = ref.spec.spec;
  const whole = {
    engine: validation.engine,
    encoding: 'enc-v1',
    migration: ref.name,
    generation: ref.generation,
    planHash: ref.planHash,
    facts,
    ...special,
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
  // the digest is computed from the document as the ledger stores it
  const document = JSON.parse(jsonText(whole)) as object;
  return { digest: createHash('sha256').update(canonicalJson(document)).digest('hex'), document };
}
