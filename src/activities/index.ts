// Combines the activities of all folders into one object. Workflows import only its type.
import { createSignatureActivities } from './cutover/signature-check.js';
import { createAdoptionActivities } from './objects/adopt.js';
import { createBarrierActivities } from './capture/catch-up-barriers.js';
import { createConnectActivities } from './capture/connectors/source-connector-activities.js';
import { createCopyActivities } from './capture/load/copy-tables.js';
import { createConsumerActivities } from './cutover/batch-output-readers.js';
import { createBatchActivities } from './cutover/batch-activities.js';
import { createCutoverActivities } from './cutover/cutover-activities.js';
import type { Deps } from './runtime/deps.js';
import { createDrainActivities } from './cutover/drain-proof.js';
import { createFenceActivities } from './cutover/fence.js';
import { createGuardActivities } from './guard/guard-activities.js';
import { createHoldSlotActivities } from './cutover/worker-slot.js';
import { createHandOverActivities } from './objects/hand-over.js';
import { createLedgerActivities } from './runtime/ledger-activities.js';
import { createLeftoverActivities } from './objects/sweep-activities.js';
import { createObjectActivities } from './objects/object-activities.js';
import { createPipelineActivities } from './pipelines/pipeline-move.js';
import { createPreflightActivities } from './checks/preflight.js';
import { createProofActivities } from './prove/prove-activities.js';
import { createBaselineActivities } from './capture/baseline.js';
import { createWindowActivities } from './windows/window-activities.js';

export function createActivities(deps: Deps) {
  return {
    ...createLedgerActivities(deps),
    ...createSignatureActivities(deps),
    ...createPreflightActivities(deps),
    ...createObjectActivities(deps),
    ...createAdoptionActivities(deps),
    ...createBaselineActivities(deps),
    ...createConnectActivities(deps),
    ...createCopyActivities(deps),
    ...createBarrierActivities(deps),
    ...createDrainActivities(deps),
    ...createWindowActivities(deps),
    ...createHoldSlotActivities(),
    ...createFenceActivities(deps),
    ...createBatchActivities(deps),
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
