// All activities, grouped by the system they act on. Their type is what workflows see.
import { createApprovalActivities } from './approval.js';
import { createBarrierActivities } from './barriers.js';
import { createConnectActivities } from './connect.js';
import { createCopyActivities } from './copy.js';
import { createConsumerActivities } from './consumers.js';
import { createCutoverActivities } from './cutover.js';
import type { Deps } from './deps.js';
import { createDrainActivities } from './drain.js';
import { createFenceActivities } from './fence.js';
import { createGuardActivities } from './guard.js';
import { createHandOverActivities } from './hand-over.js';
import { createKafkaActivities } from './kafka.js';
import { createLedgerActivities } from './ledger.js';
import { createLeftoverActivities } from './leftovers.js';
import { createPipelineActivities } from './pipeline.js';
import { createPreflightActivities } from './preflight.js';
import { createProofActivities } from './proofs/index.js';
import { createSinkActivities } from './sink.js';
import { createSourceActivities } from './source.js';
import { createWindowActivities } from './windows/index.js';

export function createActivities(deps: Deps) {
  return {
    ...createLedgerActivities(deps),
    ...createApprovalActivities(deps),
    ...createPreflightActivities(deps),
    ...createSourceActivities(deps),
    ...createSinkActivities(deps),
    ...createKafkaActivities(deps),
    ...createConnectActivities(deps),
    ...createCopyActivities(deps),
    ...createBarrierActivities(deps),
    ...createDrainActivities(deps),
    ...createWindowActivities(deps),
    ...createFenceActivities(deps),
    ...createCutoverActivities(deps),
    ...createConsumerActivities(deps),
    ...createGuardActivities(deps),
    ...createHandOverActivities(deps),
    ...createPipelineActivities(deps),
    ...createLeftoverActivities(deps),
    ...createProofActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
