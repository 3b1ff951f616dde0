// Checks the signatures of decisions. The worker does this, because only the worker has the public
// keys.
import type { SignedFor, Verified } from '../../domain/decisions/signed-decision.js';
import { verifyToken } from '../../clients/signatures.js';
import type { Deps } from '../runtime/deps.js';

export function createSignatureActivities({ approvers }: Deps) {
  return {
    /**
     * Returns what the token proves at `now` (ISO). The workflow decides whether the token was used
     * before, and which decision it allows.
     */
    async verifyToken(token: string, here: SignedFor, now: string): Promise<Verified> {
      return Promise.resolve(verifyToken(token, approvers, here, Date.parse(now)));
    },
  };
}
