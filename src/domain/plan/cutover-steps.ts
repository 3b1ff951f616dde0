// The cut-over as data: one list that `plan`, the workflow, the report and the docs read.
import { pollingOf, unseenBy } from '../migration/polling.js';
import { sharedTableOf } from '../routes/shared-table.js';
import type { MigrationSpec } from '../migration/spec.js';

export interface CutoverStep {
  readonly name:
    'recheck' | 'fence' | 'drain' | 'final-window' | 'pause-sink' | 'commit' | 'route' | 'confirm';
  readonly does: string;
  readonly undo: string | null;
  /** Before the commit every step can be undone; after it the migration only goes forward, or back by the planned roll-back. */
  readonly before: 'commit' | 'end';
}

const FENCES = {
  result: 'lease row FENCED until now + maxHold, with a transactional marker in the WAL',
  source:
    'triggers on the source tables, lease row FENCED until now + maxHold and a marker in the WAL, in one transaction: the tables take no writes until the commit',
} as const;

const ROUTES = {
  none: 'nothing: what consumers read is not ours to switch',
  'postgres-view': 'consumers read the stream side (done by the commit)',
  'postgres-table':
    'the sink writes the table, as its owner: the batch is refused from the commit on',
  http: 'PUT {side: stream, epoch} to the route, after the commit',
} as const;

/** The steps of this spec, in order. Without a batch nothing is fenced and nothing routed. */
export function cutoverSteps({ spec }: MigrationSpec): CutoverStep[] {
  const { fence, route } = spec.cutover;
  const shared = route.type === 'postgres-table';
  const inCommit = {
    'postgres-view': 'view swap, then ',
    'postgres-table': "the table gets the stream's rows, then ",
    none: '',
    http: '',
  }[route.type];
  const triggers = fence === 'source' || shared;
  const withBatch: CutoverStep[] = [
    {
      name: 'fence',
      does: `${shared ? 'trigger on the table that changes hands; ' : ''}${FENCES[fence]}`,
      undo: `lease row OPEN${triggers ? ', triggers dropped' : ''}; it also ends by itself`,
      before: 'commit',
    },
  ];
  return [
    {
      name: 'recheck',
      does: `nothing changed since the evidence; no run of the batch is active${route.type === 'postgres-view' ? '; the view can be switched, and back, for all of its readers' : ''}`,
      undo: null,
      before: 'commit',
    },
    ...(spec.batch ? withBatch : []),
    {
      name: 'drain',
      does: "marker's position through connector, pipeline, output and sink",
      undo: null,
      before: 'commit',
    },
    {
      name: 'final-window',
      does: `full comparison at or after the marker; must pass${fence === 'source' ? ', every key of it' : ''}`,
      undo: null,
      before: 'commit',
    },
    ...(shared
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
      does: `one transaction: ${inCommit}the lease row from FENCED to SWITCHED if token, epoch, veto, evidence and expiry hold`,
      undo: 'roll-back: route to batch',
      before: 'end',
    },
    ...(spec.batch
      ? [
          {
            name: 'route',
            does: ROUTES[route.type],
            undo: 'roll-back: route to batch',
            before: 'end',
          } as const,
        ]
      : []),
    { name: 'confirm', does: observation(route.type), undo: null, before: 'end' },
  ];
}

function observation(route: keyof typeof ROUTES): string {
  if (route === 'postgres-table')
    return 'who may write the table is observed by trying, as the sink and as the batch';
  if (route === 'http') return 'which side the route says it serves is observed by GET';
  return route === 'none'
    ? 'the lease row is read back'
    : "what consumers read is observed through the consumers' own view";
}

/** Guarantees that this spec weakens, in words for whoever approves; empty when it weakens none. Shown in plan, approval text and report. */
export function cutoverNotes({ spec }: MigrationSpec): string[] {
  const { batch, cutover } = spec;
  const notes: string[] = [];
  const polling = pollingOf({ spec });
  if (polling)
    notes.push(
      `rows are polled (mode ${polling.mode}), not captured: ${unseenBy(polling.mode)} never reach the stream. Declared: deletes ${polling.deletes ?? 'nothing'}`,
    );
  if (cutover.route.type === 'http')
    notes.push(
      'route by HTTP: the switch is not one transaction with the commit; between the two, consumers still read the batch',
    );
  const table = sharedTableOf({ spec });
  if (table)
    notes.push(
      `route by table: from the commit on the batch's writes of ${table.table} are refused with an error, until a way back gives it the table again; its shadow is its query, run anew in every window. ` +
        `Rows that the query does not give leave the table at the commit; a way back returns them, \`complete\` does not. At complete role ${table.batchRole} loses its right to write`,
    );
  if (batch?.pause && 'sql' in batch.pause && !batch.pause.sql.includes('$1'))
    notes.push(
      'batch.pause has no $1: the pause does not end by itself if every worker dies while it holds; resume the batch by hand then',
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
  if (cutover.fence === 'source')
    notes.push(
      `fence: source: writers of ${spec.source.tables.join(', ')} get an error for as long as the hold lasts, at most ${cutover.maxHold}`,
    );
  return notes;
}
