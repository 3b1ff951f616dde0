// Models a pause of the connector, which a window makes so that the topics do not change while it
// compares. The model has the window, whose worker may die or be suspended at any moment. It also
// has the window's next attempt, the guard, and a person who pauses the connector.
import type { Game } from './search.js';

export const PAUSE_RULES = {
  /** The pause is recorded in the ledger before the connector is paused. */
  recordsFirst: true,
  /** The record in the ledger is closed only after the connector was seen running again. */
  closesLast: true,
  guardResumes: true,
  /** The guard resumes a connector only if the ledger says that a window paused it. */
  guardAsks: true,
  /** The guard also ends a pause that a suspended worker makes after others closed the record. */
  endsLatePauses: true,
};
export type PauseRules = typeof PAUSE_RULES;

const RUNS = 0;
const BY_WINDOW = 1;
const BY_PERSON = 2;
const RECORD = { none: 0, open: 1, closed: 2, closedByOthers: 3 } as const;
/** The steps of the window: it records the pause, pauses, resumes, and closes the record. */
const PC = { begin: 0, first: 1, held: 2, resumed: 3, over: 4 } as const;

interface World {
  connector: number;
  record: number;
  /** 1 = the deadline of the recorded pause has passed. */
  overdue: number;
  pc: number;
  dead: number;
  /** 1 = a person has paused the connector. People pause it at most once. */
  asked: number;
}

interface Move {
  readonly label: string;
  readonly world: World;
  readonly broken: string | null;
}

function moves(w: World, rules: PauseRules): Move[] {
  const found: Move[] = [];
  const can = (label: string, change: Partial<World>, broken: string | null = null): void =>
    void found.push({ label, world: { ...w, ...change }, broken });
  if (w.asked === 0 && w.connector === RUNS && w.pc !== PC.first)
    can('a person pauses', { connector: BY_PERSON, asked: 1 });
  if (w.connector === BY_PERSON) can('a person resumes', { connector: RUNS });
  if (w.record === RECORD.open && w.overdue === 0) can('the deadline passes', { overdue: 1 });
  if (w.dead === 0) windowMoves(w, rules, can);
  if (w.dead === 0 && w.pc !== PC.over) can('the worker is killed', { dead: 1 });
  guardMoves(w, rules, can);
  if (w.record === RECORD.open && w.overdue === 1 && w.connector !== BY_PERSON)
    can('the next attempt resumes', { connector: RUNS, record: RECORD.closedByOthers });
  return found;
}

type Can = (label: string, change: Partial<World>, broken?: string | null) => void;

function windowMoves(w: World, { recordsFirst, closesLast }: PauseRules, can: Can): void {
  const recorded = { record: RECORD.open, overdue: 0 };
  const paused = { connector: BY_WINDOW };
  const closed = w.record === RECORD.open ? { record: RECORD.closed } : {};
  if (w.pc === PC.begin && w.connector === RUNS)
    can('window: begins', { pc: PC.first, ...(recordsFirst ? recorded : paused) });
  if (w.pc === PC.first && w.connector !== BY_PERSON)
    can('window: continues', { pc: PC.held, ...(recordsFirst ? paused : recorded) });
  if (w.pc === PC.held)
    can('window: ends', { pc: PC.resumed, ...(closesLast ? { connector: RUNS } : closed) });
  if (w.pc === PC.resumed)
    can('window: is over', { pc: PC.over, ...(closesLast ? closed : { connector: RUNS }) });
}

function guardMoves(w: World, rules: PauseRules, can: Can): void {
  if (!guardSees(w, rules)) return;
  const isPersons = w.connector === BY_PERSON && w.record !== RECORD.open;
  can(
    'guard: resumes',
    { connector: RUNS, record: w.record === RECORD.open ? RECORD.closedByOthers : w.record },
    isPersons && w.record !== RECORD.closedByOthers ? 'a person’s pause was ended' : null,
  );
}

function guardSees(w: World, { guardResumes, guardAsks, endsLatePauses }: PauseRules): boolean {
  if (!guardResumes || w.connector === RUNS) return false;
  if (!guardAsks) return true;
  const isLate = endsLatePauses && w.record === RECORD.closedByOthers;
  return isLate || (w.record === RECORD.open && w.overdue === 1);
}

/**
 * Returns a problem if the worker of the window that paused the connector is dead, and the guard
 * will never resume the connector.
 */
function inState(w: World, rules: PauseRules): string | null {
  if (w.connector !== BY_WINDOW || w.dead === 0) return null;
  const isGoingToBeSeen = guardSees({ ...w, overdue: 1 }, rules);
  return isGoingToBeSeen ? null : 'the connector stays paused';
}

export const pausedConnector = (rules: PauseRules): Game<World> => ({
  first: { connector: RUNS, record: RECORD.none, overdue: 0, pc: PC.begin, dead: 0, asked: 0 },
  keyOf: (w) => Object.values(w).join(),
  moves: (w) => moves(w, rules),
  inState: (w) => inState(w, rules),
});

export const PAUSE_MUTANTS: readonly (readonly [string, Partial<PauseRules>, RegExp])[] = [
  ['the pause was recorded after it began', { recordsFirst: false }, /stays paused/],
  ['the record was closed before the connector ran', { closesLast: false }, /stays paused/],
  ['the guard resumed nothing', { guardResumes: false }, /stays paused/],
  ['the guard resumed every paused connector', { guardAsks: false }, /person/],
  [
    'the guard ignored a late pause by a suspended worker',
    { endsLatePauses: false },
    /stays paused/,
  ],
];
