// Defines the state (the "world") of the model of the cut-over's protocol. The model has one lease
// row with its lock, fenced tables, writers, a stream, people and a clock. It also has a worker and
// its zombie, which is a suspended worker that continues later. Every value is a small integer, so
// that a short string can identify a state.

export const OPEN = 0;
export const FENCED = 1;
export const SWITCHED = 2;
export const ROLLED_BACK = 3;
export const GONE = 4;

/** The step at which a worker is. A crash sends it back to the first step of its activity. */
export const PC = {
  idle: 0,
  // activity `fence`: one transaction
  fenceTables: 1,
  fenceLease: 2,
  fenceWrite: 3,
  // activities that only read
  drain: 4,
  window: 5,
  // activity `commitCutover`: one transaction
  commitCheck: 6,
  commitLock: 7,
  commitWrite: 8,
  commitEnd: 18,
  // after the commit
  confirm: 9,
  done: 10,
  // undo
  release: 11,
  dropTriggers: 12,
  // rollback after the commit
  routeBack: 13,
  /** Terminated: there is no workflow and no worker. Only a sweep can follow. */
  dead: 14,
  sweepTriggers: 15,
  sweepLease: 16,
  swept: 17,
} as const;

export const WRITER = {
  idle: 0,
  begun: 1,
  tables: 2,
  allowed: 3,
  committed: 4,
  refused: 5,
} as const;

export interface Worker {
  pc: number;
  /** The number of the worker's attempt. The fence writes it into the lease row. 0 means none. */
  token: number;
  /** The epoch that the worker's attempt names. */
  epoch: number;
  holdsTables: number;
  holdsLease: number;
  /** 1 = the commit's condition held when it was evaluated. */
  saw: number;
  /** 1 = a run of the batch was active when the commit began. */
  sawRun: number;
}

export interface Writer {
  pc: number;
  /** 1 = the writer's snapshot was taken before the first fence. */
  old: number;
  /** 1 = the writer has locked the lease row FOR SHARE. */
  share: number;
  /** 1 = the writer committed after the newest marker. */
  late: number;
  inStream: number;
}

export interface World {
  clock: number;
  // the lease row
  state: number;
  token: number;
  epoch: number;
  digest: number;
  expires: number;
  veto: number;
  /** The time at which the attempt of the current token first fenced. */
  since: number;
  /** The highest attempt that fenced or was released. */
  attempt: number;
  triggers: number;
  marker: number;
  route: number; // 0 = batch, 1 = stream
  // events outside the workflow, and the workflow's knowledge of them
  worldEpoch: number;
  seenEpoch: number;
  approvedEpoch: number; // 0 = none, otherwise epoch + 1
  attempts: number;
  drained: number;
  passed: number; // 1 = the final window passed, 2 = it ran in a new epoch
  bad: number; // 1 = from now on, the stream computes wrong rows
  commits: number;
  run: number; // 0 = none, 1 = a batch run is active that started after the fence
  crashes: number;
  worker: Worker;
  zombie: Worker | null;
  writers: Writer[];
}

export const fresh = (): Worker => ({
  pc: PC.idle,
  token: 0,
  epoch: 0,
  holdsTables: 0,
  holdsLease: 0,
  saw: 0,
  sawRun: 0,
});

export function initial(writers: number): World {
  return {
    clock: 0,
    state: OPEN,
    token: 0,
    epoch: 0,
    digest: 0,
    expires: 0,
    veto: 0,
    since: 0,
    attempt: 0,
    triggers: 0,
    marker: 0,
    route: 0,
    worldEpoch: 0,
    seenEpoch: 0,
    approvedEpoch: 0,
    attempts: 0,
    drained: 0,
    passed: 0,
    bad: 0,
    commits: 0,
    run: 0,
    crashes: 0,
    worker: fresh(),
    zombie: null,
    writers: Array.from({ length: writers }, () => ({
      pc: WRITER.idle,
      old: 0,
      share: 0,
      late: 0,
      inStream: 0,
    })),
  };
}

const keyOfWorker = (x: Worker): string =>
  String.fromCharCode(x.pc, x.token, x.epoch, x.holdsTables, x.holdsLease, x.saw, x.sawRun);

/**
 * Returns a short string that identifies the state. Most of the search's time is spent here, so the
 * code names each field, which is fastest. A test checks that no field is missing.
 */
export function keyOf(w: World): string {
  const row = String.fromCharCode(
    w.clock,
    w.state,
    w.token,
    w.epoch,
    w.digest,
    w.expires,
    w.veto,
    w.since,
    w.attempt,
    w.triggers,
    w.marker,
    w.route,
    w.worldEpoch,
    w.seenEpoch,
    w.approvedEpoch,
    w.attempts,
    w.drained,
    w.passed,
    w.bad,
    w.commits,
    w.run,
    w.crashes,
  );
  const codes = w.writers.map((x) => x.pc * 16 + x.share * 8 + x.old * 4 + x.late * 2 + x.inStream);
  // Writers are alike, so states that differ only in their order count as one.
  if (codes.length > 1) codes.sort((x, y) => x - y);
  const workers = keyOfWorker(w.worker) + (w.zombie ? keyOfWorker(w.zombie) : '-');
  return row + workers + String.fromCharCode(...codes);
}

const copyOfWorker = (x: Worker): Worker => ({
  pc: x.pc,
  token: x.token,
  epoch: x.epoch,
  holdsTables: x.holdsTables,
  holdsLease: x.holdsLease,
  saw: x.saw,
  sawRun: x.sawRun,
});

/**
 * Returns a deep copy. The code names each field, because a spread takes twice as long.
 */
export const copy = (w: World): World => ({
  clock: w.clock,
  state: w.state,
  token: w.token,
  epoch: w.epoch,
  digest: w.digest,
  expires: w.expires,
  veto: w.veto,
  since: w.since,
  attempt: w.attempt,
  triggers: w.triggers,
  marker: w.marker,
  route: w.route,
  worldEpoch: w.worldEpoch,
  seenEpoch: w.seenEpoch,
  approvedEpoch: w.approvedEpoch,
  attempts: w.attempts,
  drained: w.drained,
  passed: w.passed,
  bad: w.bad,
  commits: w.commits,
  run: w.run,
  crashes: w.crashes,
  worker: copyOfWorker(w.worker),
  zombie: w.zombie && copyOfWorker(w.zombie),
  writers: w.writers.map(({ pc, old, share, late, inStream }) => ({
    pc,
    old,
    share,
    late,
    inStream,
  })),
});
