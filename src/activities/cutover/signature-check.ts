// Checks the signatures of decisions. The worker does this, because only the worker has the public
// keys.
import type { SignedFor, Verified } from '../../domain/decisions/signed-decision.js';
import { verifyToken } from '../../clients/signatures.js';
import type { Deps } from '../runtime/deps.js';

export function createSignatureActivities({ approvers }: Deps) {
  return {
    /**
     * Returns what the signed token of a decision proves at the time `now` (ISO). `here` is the run
     * for which the token must be valid. The workflow decides whether the token was used before,
     * and which decision the token allows.
     */
    async verifyToken(token: string, here: SignedFor, now: string): Promise<Verified> {
      return Promise.resolve(verifyToken(token, approvers, here, Date.parse(now)));
    },
  };
}
