// Defines most invariants of the model of the cut-over's protocol. Some must hold in every
// reachable state, and the others at the moment of the commit. (The moves themselves check I4 and
// I18, see moves.ts.) The numbers (I1, I2, …) are those in docs/explanation/cutover.md.
import { FENCED, PC, ROLLED_BACK, SWITCHED, WRITER, type Worker, type World } from './state.js';

/**
 * Returns the invariant that the commit breaks, or null. `n` is the state just before the commit,
 * and `x` is the committing worker.
 */
export function atCommit(n: World, x: Worker): string | null {
  const committed = n.writers.filter((w) => w.pc === WRITER.committed);
  if (committed.some((w) => w.late === 1))
    return 'I3: a write was accepted between the marker and the commit';
  if (committed.some((w) => w.late === 0 && w.inStream === 0))
    return 'I1: a committed write is not in the stream';
  if (n.commits > 0) return 'I5: a second commit';
  if (n.approvedEpoch !== x.epoch + 1) return 'I6: no approval of this epoch';
  if (n.veto === 1) return 'I6: committed despite a veto';
  if (n.passed === 2) return 'I8: the epoch changed under the evidence';
  if (n.passed !== 1) return 'I2: the final window did not pass';
  if (n.drained !== 1) return 'I9: the drain is not proven';
  return x.sawRun === 1 ? 'I2: a run of the batch began under the fence' : null;
}

/** Returns the invariant that this state breaks, or null. */
export function inState(w: World): string | null {
  const { worker } = w;
  if ((w.route === 1) !== (w.state === SWITCHED))
    return w.state === ROLLED_BACK
      ? 'I11: rolled back, but consumers read the stream'
      : 'I15: view and lease row say different things';
  if (worker.pc === PC.idle && w.state === SWITCHED)
    return 'I15: the workflow does not know of its commit';
  if ((worker.pc === PC.confirm || worker.pc === PC.done) && w.commits === 0)
    return 'I15: the workflow believes in a commit that did not happen';
  const isAtRest = worker.pc === PC.idle && !w.zombie;
  if (isAtRest && w.triggers === 1) return 'I10: no cut-over is in progress, but triggers are left';
  if (isAtRest && w.state === FENCED && w.expires > w.clock)
    return 'I7: no cut-over is in progress, but a fence is held';
  if (worker.pc === PC.swept && w.triggers === 1) return 'I10: swept, but triggers are left';
  return null;
}
