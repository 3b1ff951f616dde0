// Signatures of decisions, checked where the public keys are: on the worker.
import type { SignedFor, Verified } from '../../domain/decisions/signed-decision.js';
import { verifyToken } from '../../clients/signatures.js';
import type { Deps } from '../runtime/deps.js';

export function createApprovalActivities({ approvers }: Deps) {
  return {
    /**
     * Says what the token proves; whether it was used before and what follows from it is for the
     * workflow.
     */
    async verifyToken(token: string, here: SignedFor): Promise<Verified> {
      return Promise.resolve(verifyToken(token, approvers, here, Date.now()));
    },
  };
}
