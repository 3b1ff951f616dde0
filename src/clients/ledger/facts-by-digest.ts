// Stores facts in the ledger, and finds them by their digest. A window receives the digest of the
// facts that the evidence depends on, and reports which of them have changed.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/values/canonical-json.js';
import {
  factsChange,
  withLastKnown,
  type Facts,
  type FactsSeen,
} from '../../domain/evidence/epoch.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { jsonText } from './json-text.js';
import type { Ledger } from './ledger.js';

/** Returns the digest of facts. It does not depend on the order of the facts or of their values. */
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
 * The facts on which the evidence depends. A connector task or group that is not running keeps its
 * last known value.
 */
export interface StandingFacts {
  readonly facts: Facts;
  readonly seen: FactsSeen;
}

/**
 * Stores the facts, and compares them with the earlier facts. `since` is the digest of the earlier
 * facts, or null if there are none. If the ledger lacks the earlier facts, they count as changed.
 */
export async function standingFacts(
  ledger: Ledger,
  ref: Pick<MigrationRef, 'name' | 'iteration'>,
  read: Facts,
  since: string | null,
): Promise<StandingFacts> {
  if (since !== null && factsDigest(read) === since)
    return { facts: read, seen: { digest: since, change: null } };
  const earlier = since === null ? null : await factsOf(ledger, ref, since);
  const { facts, stopped } = earlier
    ? withLastKnown(earlier, read)
    : { facts: read, stopped: null };
  const digest = factsDigest(facts);
  const lost = {
    epoch: `the facts of the evidence (${since}) are not in the ledger`,
    fullWindow: null,
    restart: null,
  };
  const change = since !== null && !earlier ? lost : factsChange(earlier, facts);
  if (digest !== since)
    await ledger.query(
      `INSERT INTO sluice.facts (name, iteration, digest, facts) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
      [ref.name, ref.iteration, digest, jsonText(facts)],
    );
  return { facts, seen: { digest, change, ...(stopped === null ? {} : { stopped }) } };
}

async function factsOf(
  ledger: Ledger,
  ref: Pick<MigrationRef, 'name' | 'iteration'>,
  digest: string,
): Promise<Facts | null> {
  const [row] = await ledger.query<{ facts: Facts }>(
    `SELECT facts FROM sluice.facts WHERE name = $1 AND iteration = $2 AND digest = $3`,
    [ref.name, ref.iteration, digest],
  );
  return row?.facts ?? null;
}

/** Does the same as `standingFacts`, but does not return the facts. */
export const seeFacts = async (...input: Parameters<typeof standingFacts>): Promise<FactsSeen> =>
  (await standingFacts(...input)).seen;
