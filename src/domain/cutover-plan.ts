// The cut-over as data: one list that `plan`, the workflow, the report and the docs read.

export interface CutoverStep {
  readonly name: 'recheck' | 'fence' | 'drain' | 'final-window' | 'commit' | 'route' | 'confirm';
  readonly does: string;
  readonly undo: string | null;
  /** Before the commit every step can be undone; after it the migration only goes forward, or back by the planned roll-back. */
  readonly before: 'commit' | 'end';
  readonly onlyWithBatch: boolean;
}

export const CUTOVER_STEPS: readonly CutoverStep[] = [
  { name: 'recheck', does: 'nothing changed since the evidence; no run of the batch is active', undo: null, before: 'commit', onlyWithBatch: false },
  {
    name: 'fence',
    does: 'lease row FENCED until now + maxHold, with a transactional marker in the WAL',
    undo: 'lease row OPEN',
    before: 'commit',
    onlyWithBatch: true,
  },
  { name: 'drain', does: "marker's position through connector, pipeline, output and sink", undo: null, before: 'commit', onlyWithBatch: false },
  { name: 'final-window', does: 'full comparison at or after the marker; must pass', undo: null, before: 'commit', onlyWithBatch: false },
  {
    name: 'commit',
    does: 'one transaction: view swap, then the lease row from FENCED to SWITCHED if token, epoch, veto, evidence and expiry hold',
    undo: 'roll-back: route to batch',
    before: 'end',
    onlyWithBatch: false,
  },
  { name: 'route', does: 'consumers read the stream side (done by the commit)', undo: 'roll-back: route to batch', before: 'end', onlyWithBatch: true },
  { name: 'confirm', does: "what consumers read is observed through the consumers' own view", undo: null, before: 'end', onlyWithBatch: false },
];
