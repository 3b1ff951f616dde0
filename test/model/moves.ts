// Lists every possible move in a world, which is one state of the model. No move of a worker or a
// writer is larger than one lock, one evaluation or one write. Any possible move may come next.
import {
  FENCED,
  GONE,
  PC,
  ROLLED_BACK,
  SWITCHED,
  WRITER,
  copy,
  fresh,
  type Worker,
  type World,
} from './state.js';
import type { Rules } from './mutants.js';
import * as step from './steps.js';

const CLOCK_MAX = 4;
const ATTEMPTS = 2;
const CRASHES = 1;

export interface Move {
  readonly label: string;
  readonly world: World;
  /** The invariant that this move broke. Null if it broke none. */
  readonly broken: string | null;
}

type Act = (w: World) => string | null | void;

/**
 * Lists the moves. With `isCalm`, there are no vetoes, new epochs, wrong rows, crashes or
 * terminations. This keeps the number of states low when the model has two writers.
 */
export function moves(world: World, rules: Rules, isCalm: boolean): Move[] {
  const found: Move[] = [];
  const can = (label: string, act: Act): void => {
    const next = copy(world);
    found.push({ label, world: next, broken: act(next) ?? null });
  };
  outside(world, isCalm, can);
  world.writers.forEach((_, at) => write(world, rules, at, can));
  work(world, rules, 'worker', can);
  if (world.zombie) work(world, rules, 'zombie', can);
  if (!isCalm) accidents(world, can);
  return found;
}

type Can = (label: string, act: Act) => void;

/** Moves of the clock, the connector, the stream, people and the batch. */
function outside(w: World, isCalm: boolean, can: Can): void {
  const beforeCommit = !isCalm && w.commits === 0 && w.worker.pc < PC.confirm;
  if (w.clock < CLOCK_MAX) can('clock', (n) => void (n.clock += 1));
  if (w.worldEpoch === 0 && beforeCommit) can('connector restarts', (n) => void (n.worldEpoch = 1));
  if (w.bad === 0 && beforeCommit) can('stream goes wrong', (n) => void (n.bad = 1));
  if (w.veto === 0 && beforeCommit && !step.leaseLocked(w)) can('veto', (n) => void (n.veto = 1));
  if (w.approvedEpoch !== w.seenEpoch + 1 && w.worker.pc === PC.idle)
    can('approve', (n) => void (n.approvedEpoch = n.seenEpoch + 1));
  if (w.run === 0 && w.state === FENCED) can('batch run starts', (n) => void (n.run = 1));
}

function write(w: World, rules: Rules, at: number, can: Can): void {
  const { pc, old, inStream } = w.writers[at]!;
  const to = (
    label: string,
    act: (x: World['writers'][number], n: World) => string | null | void,
  ): void => can(`writer ${label}`, (n) => act(n.writers[at]!, n));
  if (pc === WRITER.idle)
    to('begins', (x, n) => void ((x.pc = WRITER.begun), (x.old = n.attempt === 0 ? 1 : 0)));
  if (pc === WRITER.begun && !step.tablesLocked(w))
    to('locks its table', (x, n) => void (x.pc = n.triggers ? WRITER.tables : WRITER.allowed));
  // With row triggers, the apply worker of a subscription reads the lease row like every other
  // writer. It then needs no moves of its own.
  if (pc === WRITER.begun && !step.tablesLocked(w) && !rules.rowTriggers)
    to('(an apply worker) locks its table', (x) => void (x.pc = WRITER.allowed));
  if (pc === WRITER.tables && !(rules.triggerLocks && step.leaseLocked(w))) {
    to('asks the row', (x, n) => {
      const seesRow = n.state !== GONE && !(!rules.rowPreexists && old === 1);
      const isHeld = seesRow
        ? n.state === FENCED && (n.expires > n.clock || !rules.triggerExpires)
        : rules.triggerFailsClosed;
      x.pc = isHeld ? WRITER.refused : WRITER.allowed;
      x.share = !isHeld && rules.triggerLocks ? 1 : 0;
      if (isHeld && n.state === GONE)
        return 'I4: writes are refused forever, because the row is gone';
      return isHeld && n.clock >= n.since + step.HOLD
        ? 'I4: a write was held longer than maxHold'
        : null;
    });
  }
  if (pc === WRITER.allowed)
    to('commits', (x, n) => void ((x.pc = WRITER.committed), (x.share = 0), (x.late = n.marker)));
  if (pc === WRITER.refused) to('tries again', (x) => void (x.pc = WRITER.idle));
  if (pc === WRITER.committed && inStream === 0)
    to('is in the stream', (x) => void (x.inStream = 1));
}

/**
 * Moves of the cut-over's activities, one step at a time. A zombie (a suspended worker that
 * continues later) stops after the activity that it was running.
 */
function work(w: World, rules: Rules, who: 'worker' | 'zombie', can: Can): void {
  const x = w[who]!;
  const to = (label: string, act: (x: Worker, n: World) => string | null | void): void =>
    can(`${who}: ${label}`, (n) => {
      const self = n[who]!;
      const broken = act(self, n);
      if (
        who === 'zombie' &&
        (self.pc !== x.pc ? step.activityOf(self.pc) !== step.activityOf(x.pc) : false)
      )
        n.zombie = null;
      return broken;
    });
  const other = who === 'worker' ? w.zombie : w.worker;
  const tablesFree =
    other?.holdsTables !== 1 && (!rules.fenceWaits || !w.writers.some((v) => step.isWriting(v.pc)));
  const leaseFree = other?.holdsLease !== 1 && !w.writers.some((v) => v.share === 1);
  const [first, second] = rules.tablesFirst
    ? ([tablesFree, leaseFree] as const)
    : ([leaseFree, tablesFree] as const);
  switch (x.pc) {
    case PC.idle:
      if (w.seenEpoch !== w.worldEpoch)
        to('recheck finds a new epoch', (_, n) => void (n.seenEpoch = n.worldEpoch));
      else if (
        w.attempts < ATTEMPTS &&
        w.commits === 0 &&
        (rules.approvalOfThisEpoch ? w.approvedEpoch === w.seenEpoch + 1 : w.approvedEpoch > 0)
      )
        to('begins an attempt', (self, n) => step.begin(self, n, rules));
      break;
    case PC.fenceTables:
      if (first)
        to(
          'fence: first lock',
          (self) =>
            void (
              (self.pc = PC.fenceLease),
              rules.tablesFirst ? (self.holdsTables = 1) : (self.holdsLease = 1)
            ),
        );
      to('fence: gives up', (self) => step.letGo(self, PC.release));
      break;
    case PC.fenceLease:
      if (second)
        to(
          'fence: second lock',
          (self) => void ((self.pc = PC.fenceWrite), (self.holdsTables = 1), (self.holdsLease = 1)),
        );
      else if (!rules.tablesFirst && w.writers.some((v) => v.pc === WRITER.tables))
        to('fence: waits', () => 'I18: fence and writer wait for each other');
      to('fence: gives up', (self) => step.letGo(self, PC.release));
      break;
    case PC.fenceWrite:
      to('fence: writes', (self, n) => step.fence(self, n, rules));
      break;
    case PC.drain:
      step.drain(w, rules, to);
      break;
    case PC.window:
      to('final window', (self, n) => step.window(self, n, rules));
      break;
    case PC.commitCheck:
      to('commit: begins', (self, n) => step.checkBefore(self, n, rules));
      break;
    case PC.commitLock:
      if (!rules.lockAtCommit || leaseFree)
        to(
          'commit: locks the row',
          (self) =>
            void ((self.pc = PC.commitWrite), (self.holdsLease = rules.lockAtCommit ? 1 : 0)),
        );
      break;
    case PC.commitWrite:
      to(
        'commit: evaluates',
        (self, n) =>
          void (
            (self.pc = PC.commitEnd),
            rules.lockThenCheck && (self.saw = step.holds(self, n, rules))
          ),
      );
      break;
    case PC.commitEnd:
      to('commit: ends', (self, n) => step.commit(self, n, rules));
      break;
    case PC.confirm:
      if (!w.writers.some((v) => step.isWriting(v.pc)))
        to(
          'drops the triggers',
          (self, n) => void ((self.pc = PC.done), (n.triggers = 0), (n.route = 1)),
        );
      break;
    case PC.done:
      if (w.state === SWITCHED)
        to(
          'rolls back',
          (_, n) => void ((n.state = ROLLED_BACK), (n.route = rules.backRoutes ? 0 : n.route)),
        );
      break;
    case PC.release:
      if (leaseFree) to('releases', (self, n) => step.release(self, n, rules));
      break;
    case PC.dropTriggers:
      if (!w.writers.some((v) => step.isWriting(v.pc)) && other?.holdsTables !== 1)
        to(
          'drops the triggers',
          (self, n) =>
            void (Object.assign(self, fresh()), rules.releaseDropsTriggers && (n.triggers = 0)),
        );
      break;
    default:
      step.sweep(w, rules, to);
  }
}

/** Moves for kill -9, for a worker that counts as dead but still runs, and for `terminate`. */
function accidents(w: World, can: Can): void {
  const { worker } = w;
  const activity = step.activityOf(worker.pc);
  const restarted = (x: Worker): Worker => ({
    ...x,
    pc: activity === 'fence' ? PC.fenceTables : activity === 'commit' ? PC.commitCheck : x.pc,
    holdsTables: 0,
    holdsLease: 0,
    saw: 0,
    sawRun: 0,
  });
  if (worker.pc >= PC.dead && worker.pc <= PC.swept) return;
  if (w.crashes < CRASHES && (activity === 'fence' || activity === 'commit'))
    can('kill -9', (n) => void ((n.worker = restarted(n.worker)), (n.crashes += 1)));
  if (
    w.crashes < CRASHES &&
    !w.zombie &&
    (activity === 'fence' || activity === 'commit' || worker.pc === PC.release)
  )
    can(
      'worker thought dead',
      (n) => void ((n.zombie = n.worker), (n.worker = restarted(n.worker)), (n.crashes += 1)),
    );
  if (w.crashes < CRASHES && worker.pc !== PC.idle && worker.pc !== PC.done && !w.zombie)
    can('terminate', (n) => void ((n.worker = { ...fresh(), pc: PC.dead }), (n.crashes += 1)));
}
