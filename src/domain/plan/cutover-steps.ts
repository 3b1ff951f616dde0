// The cut-over as data: one list that `plan`, the workflow, the report and the docs read.
import type { CutoverStep, ResolvedPlan } from './resolved-plan.js';

/** The parts of a plan that decide how the cut-over goes. */
type Decided = Pick<ResolvedPlan, 'spec' | 'batch' | 'capture' | 'fence' | 'route'>;

const FENCES = {
  result: 'lease row FENCED until now + maxHold, with a transactional marker in the WAL',
  source:
    'triggers on the source tables, lease row FENCED until now + maxHold and a marker in the WAL, in one transaction: the tables take no writes until the commit',
} as const;

/** Returns the steps of this spec in order. A spec without a batch fences and routes nothing. */
export function cutoverSteps({ batch, fence, route }: Decided): CutoverStep[] {
  const { movesSink, words } = route;
  const withBatch: CutoverStep[] = [
    {
      name: 'fence',
      does: `${words.fence}${FENCES[fence.kind]}`,
      undo: `lease row OPEN${fence.guards.length > 0 ? ', triggers dropped' : ''}; it also ends by itself`,
      before: 'commit',
    },
  ];
  return [
    {
      name: 'recheck',
      does: `nothing changed since the evidence; no run of the batch is active${words.recheck}`,
      undo: null,
      before: 'commit',
    },
    ...(batch ? withBatch : []),
    {
      name: 'drain',
      does: "marker's position through connector, pipeline, output and sink",
      undo: null,
      before: 'commit',
    },
    {
      name: 'final-window',
      does: `full comparison at or after the marker; must pass${fence.kind === 'source' ? ', all of its keys' : ''}`,
      undo: null,
      before: 'commit',
    },
    ...(movesSink
      ? [
          {
            name: 'pause-sink',
            does: 'the sink writes nothing more to its own table',
            undo: 'sink resumed',
            before: 'commit',
          } as const,
        ]
      : []),
    {
      name: 'commit',
      does: `one transaction: ${words.commit}the lease row from FENCED to SWITCHED if token, epoch, veto, evidence and expiry hold`,
      undo: 'rollback: route to batch',
      before: 'end',
    },
    ...(batch
      ? [
          {
            name: 'route',
            does: words.route,
            undo: 'rollback: route to batch',
            before: 'end',
          } as const,
        ]
      : []),
    { name: 'confirm', does: words.confirm, undo: null, before: 'end' },
  ];
}

/**
 * Returns the guarantees that this spec weakens, in words for the approvers. Plan, approval text
 * and report show them.
 */
export function cutoverNotes({ spec, batch, capture, fence, route }: Decided): string[] {
  const notes = [...capture.notes, ...route.notes];
  if (batch?.pause && 'sql' in batch.pause && !batch.pause.sql.includes('$1'))
    notes.push(
      'batch.pause has no $1: the pause does not end by itself if every worker dies while it holds; then resume the batch by hand',
    );
  if (batch?.pause && 'url' in batch.pause)
    notes.push(
      "batch.pause by URL: that the pause ends by itself at `until` is the scheduler's promise, not observed",
    );
  if (batch?.runs && 'application' in batch.runs)
    notes.push(
      `batch.runs by application: a run is seen while its session (${batch.runs.application}) works; one that begins and ends within the hold is not`,
    );
  if (batch && !batch.runs)
    notes.push('no batch.runs: a run of the batch that is active at the cut-over is not seen');
  if (fence.kind === 'source')
    notes.push(
      `fence: source: writers of ${spec.source.tables.join(', ')} get an error for as long as the hold lasts, at most ${spec.cutover.maxHold}`,
    );
  return notes;
}
