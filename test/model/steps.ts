// Models the activities of the cut-over and of the sweep, as steps of a worker. No step is larger
// than one lock, one evaluation or one write.
import {
  FENCED,
  GONE,
  OPEN,
  PC,
  ROLLED_BACK,
  SWITCHED,
  WRITER,
  fresh,
  type Worker,
  type World,
} from './state.js';
import type { Rules } from './mutants.js';
import { atCommit } from './invariants.js';

export const HOLD = 2;

export const leaseLocked = (w: World): boolean =>
  w.worker.holdsLease === 1 || w.zombie?.holdsLease === 1;
export const tablesLocked = (w: World): boolean =>
  w.worker.holdsTables === 1 || w.zombie?.holdsTables === 1;
export const isWriting = (pc: number): boolean => pc === WRITER.tables || pc === WRITER.allowed;

/**
 * Returns the activity of a step. After a crash, and beside a zombie (a suspended worker that
 * continues later), the new worker repeats the whole activity.
 */
export function activityOf(pc: number): string {
  if (pc >= PC.fenceTables && pc <= PC.fenceWrite) return 'fence';
  if ((pc >= PC.commitCheck && pc <= PC.commitWrite) || pc === PC.commitEnd) return 'commit';
  return String(pc);
}

export const letGo = (x: Worker, pc: number): void =>
  void Object.assign(x, { pc, holdsTables: 0, holdsLease: 0 });

export function begin(x: Worker, n: World, rules: Rules): void {
  n.attempts += 1;
  Object.assign(x, fresh(), { pc: PC.fenceTables, token: n.attempts, epoch: n.seenEpoch });
  n.drained = 0;
  n.passed = 0;
  if (!rules.markerInFence) mark(n);
}

/** Sets the marker. Everything that is committed so far is before it. */
function mark(n: World): void {
  n.marker = 1;
  for (const writer of n.writers) writer.late = 0;
}

export function fence(x: Worker, n: World, rules: Rules): string | null {
  const isMine = n.state === FENCED && n.token === x.token;
  const isBurned =
    rules.releaseBurns && (x.token < n.attempt || (x.token === n.attempt && !isMine));
  const isRefused =
    n.state >= SWITCHED ||
    n.veto === 1 ||
    isBurned ||
    (isMine && n.expires <= n.clock) ||
    (n.state === FENCED && !isMine && n.expires > n.clock);
  if (isRefused) {
    letGo(x, PC.release);
    return null;
  }
  if (!isMine)
    Object.assign(n, {
      state: FENCED,
      token: x.token,
      epoch: x.epoch,
      digest: x.epoch,
      expires: n.clock + HOLD,
      since: n.clock,
      attempt: Math.max(n.attempt, x.token),
    });
  else if (!rules.retryKeepsExpiry) n.expires = n.clock + HOLD;
  if (!isMine && rules.markerInFence) mark(n);
  n.triggers = 1;
  letGo(x, rules.windowAfterDrain ? PC.drain : PC.window);
  return null;
}

export function drain(
  w: World,
  rules: Rules,
  to: (label: string, act: (x: Worker, n: World) => void) => void,
): void {
  const owed = w.writers.filter((v) => v.pc === WRITER.committed && v.late === 0);
  const isDrained = owed.every((v) => v.inStream === 1);
  const next = rules.windowAfterDrain ? PC.window : PC.commitCheck;
  const looksDrained = rules.drainsEveryPartition
    ? isDrained
    : owed.length === 0 || owed.some((v) => v.inStream === 1);
  if (looksDrained) to('drained', (x, n) => void ((x.pc = next), (n.drained = 1)));
  to('drain unknown', (x) => void (x.pc = rules.unknownIsNotDrained ? PC.release : next));
}

/**
 * Compares both sides. The comparison finds wrong rows in the stream. In this model, only the drain
 * can find missing changes.
 */
export function window(x: Worker, n: World, rules: Rules): void {
  const isSameEpoch = n.worldEpoch === x.epoch;
  n.passed =
    n.bad === 1 ? 0 : isSameEpoch ? (n.drained === 1 || !rules.unknownIsNotDrained ? 1 : 0) : 2;
  if (rules.windowSeesEpoch) n.seenEpoch = n.worldEpoch;
  const isGreen = n.bad === 0 && (isSameEpoch || !rules.windowSeesEpoch);
  x.pc =
    isGreen || !rules.windowMustPass
      ? rules.windowAfterDrain
        ? PC.commitCheck
        : PC.drain
      : PC.release;
  if (rules.windowSeesEpoch && !isSameEpoch) x.pc = PC.release;
}

export function checkBefore(x: Worker, n: World, rules: Rules): void {
  if (rules.believesRow && n.state === SWITCHED && n.token === x.token) return letGo(x, PC.confirm);
  if (n.run === 1 && rules.checksRuns) return letGo(x, PC.release);
  x.sawRun = n.run;
  if (!rules.lockThenCheck) x.saw = holds(x, n, rules);
  x.pc = PC.commitLock;
}

export function holds(x: Worker, n: World, rules: Rules): number {
  const isFit =
    (!rules.checksState || n.state === FENCED) &&
    (!rules.checksToken || n.token === x.token) &&
    (!rules.checksVeto || n.veto === 0) &&
    (!rules.checksExpiry || n.expires > n.clock);
  return isFit ? 1 : 0;
}

export function commit(x: Worker, n: World, rules: Rules): string | null {
  if (x.saw === 0) {
    letGo(x, PC.release);
    return null;
  }
  const broken = atCommit(n, x);
  n.state = SWITCHED;
  n.commits += 1;
  if (rules.routeInCommit) n.route = 1;
  letGo(x, PC.confirm);
  return broken;
}

export function release(x: Worker, n: World, rules: Rules): void {
  if (rules.releaseLooks && n.state === SWITCHED && n.token === x.token)
    return letGo(x, PC.confirm);
  if (n.state === FENCED && n.token === x.token) {
    n.state = OPEN;
    n.marker = 0;
  }
  if (rules.releaseBurns) n.attempt = Math.max(n.attempt, x.token);
  x.pc = PC.dropTriggers;
}

export function sweep(
  w: World,
  rules: Rules,
  to: (label: string, act: (x: Worker, n: World) => void) => void,
): void {
  const order = rules.triggersBeforeLease
    ? [PC.sweepTriggers, PC.sweepLease, PC.swept]
    : [PC.sweepLease, PC.sweepTriggers, PC.swept];
  if (w.worker.pc === PC.dead)
    to('sweep: routes back', (x, n) => {
      if (n.state === SWITCHED) Object.assign(n, { state: ROLLED_BACK, route: 0 });
      x.pc = order[0]!;
    });
  const next = order[order.indexOf(w.worker.pc as never) + 1]!;
  if (w.worker.pc === PC.sweepTriggers && !w.writers.some((v) => isWriting(v.pc)))
    to('sweep: drops triggers', (x, n) => void ((n.triggers = 0), (x.pc = next)));
  if (w.worker.pc === PC.sweepLease)
    to('sweep: drops the row', (x, n) => void ((n.state = GONE), (x.pc = next)));
}
