// Defines the cut-over as data: one list of steps for the plan, the workflow, the report and the
// docs. Also defines the notes that an approver must read.
import { separateTarget } from '../migration/databases.js';
import type { MigrationSpec } from '../migration/spec.js';
import { allowedAge } from './final-result.js';
import { resultMode } from './planned-subjects.js';
import type { CutoverStep, ResolvedPlan } from './resolved-plan.js';

/** The parts of a plan that decide which steps the cut-over has. */
type Decided = Pick<ResolvedPlan, 'spec' | 'batch' | 'capture' | 'fence' | 'route'>;

const FENCES = {
  result: 'lease row FENCED until now + maxHold, with a transactional marker in the WAL',
  source:
    'in one transaction: triggers on the source tables, a marker in the WAL, and the lease row FENCED until now + maxHold; the tables refuse writes until the commit',
} as const;

/** Describes the fence if the lease row is not in the source database. */
const fenceIn = (target: string, { source }: MigrationSpec['spec']): string =>
  `lease row FENCED until now + maxHold in ${target}; afterwards, a marker in the WAL of ${source.postgres.database}`;

/**
 * Returns the cut-over's steps for this spec, in order. Without a batch, the list does not contain
 * `fence` and `route`. The cut-over still sets a fence, which then only changes the lease row in
 * the ledger.
 */
export function cutoverSteps({ spec, batch, fence, route }: Decided): CutoverStep[] {
  const { movesSink, words } = route;
  const age = allowedAge({ spec });
  const target = separateTarget({ spec });
  const withBatch: CutoverStep[] = [
    {
      name: 'fence',
      does: `${words.fence}${target === null ? FENCES[fence.kind] : fenceIn(target, spec)}`,
      undo: `lease row OPEN${fence.guards.length > 0 ? ', triggers dropped' : ''}; without this, the fence expires by itself`,
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
      does: "wait until the marker's position has passed connector, pipeline, output and sink",
      undo: null,
      before: 'commit',
    },
    {
      name: 'final-window',
      does: `full comparison${age === null ? '' : ' of the tables'} at or after the marker; must pass${fence.kind === 'source' ? ' for every key' : ''}${age === null ? '' : `; an earlier window, which began at most ${age} before the commit, compared the results exactly`}`,
      undo: null,
      before: 'commit',
    },
    ...(movesSink
      ? [
          {
            name: 'pause-sink',
            does: 'the sink stops writing to its own table',
            undo: 'sink resumed',
            before: 'commit',
          } as const,
        ]
      : []),
    {
      name: 'commit',
      does: `one transaction${target === null ? '' : ` in ${target}`}: ${words.commit}the lease row from FENCED to SWITCHED, if its token, epoch and evidence are this attempt's, the fence has not expired, and no veto is set`,
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
 * Returns sentences for the approvers, one for each guarantee that this spec weakens. The plan, the
 * approval text and the report show them.
 */
export function cutoverNotes({ spec, batch, capture, fence, route }: Decided): string[] {
  const notes = [...capture.notes, ...route.notes];
  if (batch?.pause && 'sql' in batch.pause && !batch.pause.sql.includes('$1'))
    notes.push(
      'batch.pause does not use $1, the time at which the pause must end. If every worker dies during the hold, the pause therefore does not end by itself, and a person must resume the batch',
    );
  if (batch?.pause && 'url' in batch.pause)
    notes.push(
      'batch.pause by URL: the scheduler promises that the pause ends by itself at `until`, but Sluice does not observe it',
    );
  if (batch?.runs && 'application' in batch.runs)
    notes.push(
      `batch.runs by application: Sluice sees a run only while its session (${batch.runs.application}) is active, and misses a run that begins and ends within the hold`,
    );
  if (batch && !batch.runs)
    notes.push(
      'no batch.runs: Sluice does not see a run of the batch that is active at the cut-over',
    );
  if (fence.kind === 'source')
    notes.push(
      `fence: source: writers of ${spec.source.tables.join(', ')} get an error for as long as the hold lasts, at most ${spec.cutover.maxHold}`,
    );
  const age = allowedAge({ spec });
  if (age !== null)
    notes.push(
      `finalResult: the final window compares only the tables under the fence. The results were compared exactly in a window that began at most ${age} before the commit. What the pipeline wrote since then is not compared before the commit, only by the windows of the soak`,
    );
  const { stillPoint, laterWindows } = spec.validation;
  if (laterWindows === 'witness')
    notes.push(
      'laterWindows: witness: between windows, the worker keeps a temporary replication slot of its own and reads it every 5 s. A later window then reads only the rows that changed and a hundredth of the other rows, and does not count the rows',
    );
  if (stillPoint.inSoak && resultMode({ spec }) === 'exact')
    notes.push(
      `stillPoint.inSoak: windows after the commit pause the source connector, and consumers get nothing new during the pause, for at most ${stillPoint.maxPause} each time`,
    );
  return notes;
}
