// Builds a run's status and the state of its workflow, for tests of output that people read.
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import type { Standing } from '../../src/domain/migration/run-standing.js';

/** Returns the status of `migration-a`, in phase `approve` unless `more` says otherwise. */
export const aStatus = (more: Partial<Status> = {}): Status => ({
  apiVersion: 'sluice.dev/v1alpha1',
  id: 'migration-a',
  name: 'a',
  iteration: 1,
  generation: 1,
  phase: 'approve',
  outcome: null,
  blocked: null,
  paused: false,
  epoch: 1,
  needsApproval: false,
  evidenceId: null,
  lag: { bytes: 0, records: 0, ms: 5 },
  tables: [],
  approvals: [],
  route: null,
  handedOver: [],
  leftovers: [],
  next: [],
  waiting: null,
  ...more,
});

/** Returns the state of a run whose workflow answers at `at`. */
export const liveStanding = (at: string): Standing => ({
  from: 'workflow',
  at,
  problem: null,
  remedy: [],
  state: null,
  isDead: false,
  isEarlierRun: false,
  waits: [],
});
