// Facts in the ledger, found by their digest. A window receives the digest of the facts that the
// evidence depends on, and reports what has changed since then.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/values/canonical-json.js';
import { factsChange, type Facts, type FactsSeen } from '../../domain/evidence/epoch.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import type { Ledger } from './ledger.js';

/** Returns the digest of facts. The order of entries does not matter. */
export function factsDigest(facts: Facts): string {
  const sorted = Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value].sort(),
    ]),
  );
  return createHash('sha256').update(canonicalJson(sorted)).digest('hex').slice(0, 32);
}

/**
 * Stores the facts, and compares them with the facts of digest `since` (null means none). If the
 * ledger lacks the earlier facts, they count as changed.
 */
export async function seeFacts(
  ledger: Ledger,
  ref: Pick<MigrationRef, 'name' | 'iteration'>,
  facts: Facts,
  since: string | null,
): Promise<FactsSeen> {
  const digest = factsDigest(facts);
  if (digest === since) return { digest, change: null };
  await ledger.query(
    `INSERT INTO sluice.facts (name, iteration, digest, facts) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [ref.name, ref.iteration, digest, JSON.stringify(facts)],
  );
  if (since === null) return { digest, change: null };
  const [earlier] = await ledger.query<{ facts: Facts }>(
    `SELECT facts FROM sluice.facts WHERE name = $1 AND iteration = $2 AND digest = $3`,
    [ref.name, ref.iteration, since],
  );
  if (!earlier)
    return {
      digest,
      change: {
        epoch: `the facts of the evidence (${since}) are not in the ledger`,
        fullWindow: null,
      },
    };
  return { digest, change: factsChange(earlier.facts, facts) };
}
