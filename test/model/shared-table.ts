// Models a shared table (route `postgres-table`). The model has the table, the batch, the sink's
// task, and a topic of two records. Until the commit, the sink writes to a staging table. The model
// also has a task that Kafka Connect reports as paused but that still runs, and a sink of an
// earlier iteration. Its moves lead through a commit and a rollback. The model checks that no
// record is lost, that no row is moved twice, and that only the owner writes to the table. (These
// are the invariants S1 to S4 of docs/explanation/cutover.md.)
import type { Game } from './search.js';
import type { SharedRules } from './shared-table-rules.js';
import { BATCH, PC, TASK, initial, type Task, type World } from './shared-table-world.js';
import { FENCED, OPEN, ROLLED_BACK, SWITCHED } from './state.js';

const RECORDS = 2;
const ALL = (1 << RECORDS) - 1;
const HOLD = 2;
const CLOCK_MAX = 3;

type Can = (label: string, act: (n: World) => string | null | void) => void;

function moves(
  w: World,
  rules: SharedRules,
): { label: string; world: World; broken: string | null }[] {
  const found: { label: string; world: World; broken: string | null }[] = [];
  const can: Can = (label, act) => {
    const world = { ...w, task: { ...w.task }, stray: { ...w.stray } };
    found.push({ label, broken: act(world) ?? null, world });
  };
  if (w.clock < CLOCK_MAX) can('clock', (n) => void (n.clock += 1));
  batch(w, rules, can);
  sink(w, rules, 'task', can);
  sink(w, rules, 'stray', can);
  if (w.triggers === 1 && mayStream(w, rules, false))
    can(
      'a sink of an earlier iteration writes',
      () => 'S3: a sink of an earlier iteration wrote to the table',
    );
  commit(w, rules, can);
  return found;
}

/**
 * Returns whether the trigger accepts a session of the stream's role. `isMine` means that the
 * session names the epoch in which the stream became the owner.
 */
function mayStream(w: World, rules: SharedRules, isMine: boolean): boolean {
  if (w.triggers === 0) return true;
  if (w.state === FENCED && w.expires > w.clock) return false;
  if (w.state === SWITCHED) return isMine || !rules.knowsEpoch;
  return !rules.refusesStreamBefore;
}

const tableIsHeld = (w: World): boolean => w.pending >= 0;

function batch(w: World, rules: SharedRules, can: Can): void {
  if (w.batch === BATCH.idle && !tableIsHeld(w))
    can('batch locks the table', (n) => void (n.batch = BATCH.hasTable));
  if (w.batch === BATCH.hasTable) {
    const isHeld =
      w.triggers === 1 &&
      ((w.state === FENCED && w.expires > w.clock) || (w.state === SWITCHED && rules.knowsRole));
    can('batch asks the row', (n) => void (n.batch = isHeld ? BATCH.idle : BATCH.allowed));
  }
  if (w.batch === BATCH.allowed)
    can('batch commits', (n) => {
      n.batch = BATCH.idle;
      return n.state === SWITCHED
        ? 'S2: the batch wrote to the table while the stream owned it'
        : null;
    });
}

function sink(w: World, rules: SharedRules, who: 'task' | 'stray', can: Can): void {
  const t = w[who];
  const isPaused = who === 'task' && t.shared === 0 && w.pc >= PC.paused && w.pc <= PC.committed;
  if (t.pc === TASK.idle && !isPaused && who === 'task' && t.at < RECORDS)
    can('sink polls', (n) => void (n.task.pc = TASK.polled));
  const canWrite = t.shared === 1 ? !tableIsHeld(w) : !(tableIsHeld(w) && rules.locksStaging);
  const written = (n: World, x: Task): string | null => {
    if (x.shared === 1) {
      if (!mayStream(n, rules, true)) return null;
      if (n.state !== SWITCHED) return 'S2: the stream wrote to the table while the batch owned it';
      n.inTable |= 1 << x.at;
    } else if (n.staging === 1) n.inStaging |= 1 << x.at;
    return null;
  };
  const fails = t.shared === 1 ? !mayStream(w, rules, true) : w.staging === 0;
  const first = rules.writesFirst ? 'write' : 'offset';
  const commitOffset = (n: World, x: Task): void =>
    void ((n.offset = Math.max(n.offset, x.at + 1)), (x.at += 1));
  if (t.pc === TASK.polled && (first === 'offset' || canWrite))
    can(`${who}: ${first}`, (n) => {
      const x = n[who];
      // the task fails, and the record is read again
      if (first === 'write' && fails) return void (x.pc = who === 'stray' ? TASK.gone : TASK.idle);
      x.pc = TASK.between;
      if (first === 'write') return written(n, x);
      n.offset = Math.max(n.offset, x.at + 1);
    });
  if (t.pc === TASK.between && (first === 'write' || canWrite))
    can(`${who}: ends`, (n) => {
      const x = n[who];
      const broken = first === 'write' ? null : written(n, x);
      if (first === 'write') commitOffset(n, x);
      else x.at += 1;
      x.pc = who === 'stray' ? TASK.gone : TASK.idle;
      return broken;
    });
}

/** Moves for the fence, the pause and the move of the sink, the commit, and the rollback. */
function commit(w: World, rules: SharedRules, can: Can): void {
  const tableIsFree = w.batch === BATCH.idle;
  if (w.pc === PC.idle && w.state === OPEN && tableIsFree)
    can(
      'fence',
      (n) => void Object.assign(n, { state: FENCED, expires: n.clock + HOLD, triggers: 1 }),
    );
  if (w.pc === PC.idle && w.state === FENCED)
    can('pause the sink', (n) => {
      n.pc = PC.paused;
      if (n.task.pc === TASK.idle) return;
      // Kafka Connect reports PAUSED, although the task still has a record to write
      Object.assign(n, { stray: n.task, task: { pc: TASK.idle, shared: 0, at: n.offset } });
    });
  if (w.pc === PC.paused && tableIsFree) {
    if (w.state === SWITCHED && rules.believesRow)
      can('sees its commit', (n) => void (n.pc = PC.committed));
    else
      can(
        'copies the rows',
        (n) =>
          void (
            (n.pc = PC.copied),
            rules.copiesInCommit ? (n.pending = n.inStaging) : (n.inTable = n.inStaging)
          ),
      );
  }
  if (w.pc === PC.copied) can('locks the row', (n) => void (n.pc = PC.locked));
  if (w.pc === PC.locked)
    can(
      'evaluates',
      (n) => void ((n.pc = PC.seen), (n.saw = n.state === FENCED && n.expires > n.clock ? 1 : 0)),
    );
  if (w.pc === PC.seen) {
    can('commit ends', (n) => ended(n, rules));
    if (w.crashed === 0)
      can('kill -9 after the commit', (n) => {
        const broken = ended(n, rules);
        if (n.pc === PC.committed) n.pc = PC.paused;
        n.crashed = 1;
        return broken;
      });
  }
  if (w.pc >= PC.copied && w.pc <= PC.seen && w.crashed === 0)
    can('kill -9', (n) => void ((n.pc = PC.paused), (n.pending = -1), (n.crashed = 1)));
  if (w.pc === PC.committed)
    can(
      'moves the sink',
      (n) =>
        void (
          (n.pc = PC.moved),
          (n.task = { pc: TASK.idle, shared: 1, at: rules.keepsOffset ? n.offset : RECORDS })
        ),
    );
  if ((w.pc === PC.moved || w.pc === PC.committed) && tableIsFree && w.state === SWITCHED)
    can('goes back', (n) => void Object.assign(n, { state: ROLLED_BACK, inTable: 0, pc: PC.back }));
}

function ended(n: World, rules: SharedRules): string | null {
  const isMine = n.saw === 1;
  if (isMine && n.state === SWITCHED) return 'S4: the rows moved twice';
  if (isMine) {
    Object.assign(n, {
      state: SWITCHED,
      pc: PC.committed,
      staging: rules.dropsStaging ? 0 : 1,
      triggers: rules.guardsAfterCommit ? 1 : 0,
    });
    if (n.pending >= 0) n.inTable = n.pending;
  } else Object.assign(n, { pc: PC.undone, state: OPEN, triggers: 0 });
  n.pending = -1;
  return null;
}

function inState(w: World): string | null {
  const rests = w.task.pc === TASK.idle && w.stray.pc === TASK.gone;
  if (
    w.state === SWITCHED &&
    w.pc === PC.moved &&
    rests &&
    w.task.at >= RECORDS &&
    w.inTable !== ALL
  )
    return 'S1: a record is in neither table';
  if (w.pc === PC.undone && w.inTable !== 0) return 'S4: the commit was refused, and rows moved';
  return null;
}

export const sharedTable = (rules: SharedRules): Game<World> => ({
  first: initial,
  keyOf: ({ task, stray, ...plain }) =>
    [...Object.values(plain), ...Object.values(task), ...Object.values(stray)].join(),
  moves: (world) => moves(world, rules),
  inState,
});
