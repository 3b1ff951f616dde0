// Signatures of decisions, checked where the public keys are: on the worker.
import type { Verified } from '../domain/token.js';
import { verifyToken } from '../clients/token.js';
import type { Deps } from './deps.js';

export function createApprovalActivities({ approvers }: Deps) {
  return {
    /** Says what the token proves; whether it was used before and what follows from it is for the workflow. */
    async verifyToken(token: string, workflowId: string): Promise<Verified> {
      return Promise.resolve(verifyToken(token, approvers, workflowId, Date.now()));
    },
  };
}
