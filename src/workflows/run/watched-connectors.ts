// Compares the guard's reports on connectors with the run's own actions. A connector that the run
// itself pauses, replaces or removes is not a problem.
import {
  countFailure,
  failedTrouble,
  isSameTrouble,
  type ConnectorTrouble,
  type Failing,
} from '../../domain/capture/connector-trouble.js';
import type { Blocked } from '../../domain/failure.js';

/** The part of a run's state that belongs to watched connectors. */
export interface WatchedState {
  /** The connectors that the run started and that must be running. */
  started: string[];
  /** All problems that the guard found, even those of connectors that the run itself has paused. */
  troubles: ConnectorTrouble[];
  /** The time (ISO) since which there has always been a problem. Null if there is none. */
  since: string | null;
  failing: Record<string, Failing>;
}

export const nothingWatched = (): WatchedState => ({
  started: [],
  troubles: [],
  since: null,
  failing: {},
});

const troublesOf = ({ started, troubles }: WatchedState): ConnectorTrouble[] =>
  troubles.filter(({ connector }) => started.includes(connector));

const isGone = ({ code }: ConnectorTrouble): boolean => code === 'connector-gone';

/** Returns the problem that blocks the run, or null if no problem of a connector blocks it. */
export function troubleOf(state: WatchedState): Blocked | null {
  const blocking = troublesOf(state).filter(({ blocks }) => blocks);
  const [first] = blocking;
  if (!first || state.since === null) return null;
  const detail = blocking.map((trouble) => trouble.detail).join('; ');
  return { code: first.code, since: state.since, detail, remedy: first.remedy };
}

/** Returns sentences about edited connectors that still capture the same, for a person to read. */
export const editsOf = (state: WatchedState): string[] =>
  troublesOf(state)
    .filter(({ blocks }) => !blocks)
    .map(({ detail }) => detail);

export class WatchedConnectors {
  readonly #state: WatchedState;
  #heeded = '';
  #isAskedBack = false;

  constructor(state: WatchedState) {
    this.#state = state;
  }

  /**
   * Marks connectors that must run now, and forgets their earlier troubles. Returns true if there
   * were such troubles.
   */
  start(names: readonly string[]): boolean {
    const state = this.#state;
    state.started = [...new Set([...state.started, ...names])];
    const before = state.troubles.length;
    state.troubles = state.troubles.filter(({ connector }) => !names.includes(connector));
    this.#forget();
    return state.troubles.length < before;
  }

  /** Records that the run will pause, replace or remove these connectors. */
  release(names: readonly string[] = this.#state.started): void {
    const state = this.#state;
    state.started = state.started.filter((name) => !names.includes(name));
    this.#forget();
  }

  /**
   * Replaces the known problems with `troubles`, which are all current problems. Returns those that
   * are new, and those that are over.
   */
  take(troubles: readonly ConnectorTrouble[], now: string): { begun: string[]; over: string[] } {
    const state = this.#state;
    const before = troublesOf(state);
    state.troubles = [...troubles];
    const after = troublesOf(state);
    state.since ??= now;
    this.#forget();
    for (const { connector } of before.filter(isOver(after)))
      if (!after.some((trouble) => trouble.connector === connector))
        delete state.failing[connector];
    return {
      begun: after.filter(isOver(before)).map(({ detail }) => detail),
      over: before.filter(isOver(after)).map(({ detail }) => detail),
    };
  }

  /**
   * Records a failed task that the guard restarted or gave up on. Returns the problem to report.
   * Returns null if there is no problem, or if it was already reported.
   */
  failed(connector: string, cause: string, now: string): string | null {
    const state = this.#state;
    const failing = countFailure(state.failing[connector], cause, now);
    state.failing[connector] = failing;
    const trouble = failedTrouble(connector, failing);
    const known = state.troubles.filter(
      (t) => t.connector === connector && t.code === 'connector-failed',
    );
    if (!trouble || known.length > 0) return null;
    this.take([...state.troubles, trouble], now);
    return trouble.detail;
  }

  /** Returns, for each connector, the number of failures that followed each other closely. */
  get restarts(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.#state.failing).map(([name, { count }]) => [name, count]),
    );
  }

  get troubles(): readonly ConnectorTrouble[] {
    return this.#state.troubles;
  }

  /** True while there is a problem that no window has checked. */
  get isNews(): boolean {
    return this.#text !== '' && this.#text !== this.#heeded;
  }

  /** Records that a window begins, which checks the problems that the guard found. */
  heed(): void {
    this.#heeded = this.#text;
  }

  get #text(): string {
    return troublesOf(this.#state)
      .map(({ detail }) => detail)
      .join('; ');
  }

  /** Handles a person's retry. Failures count from zero, so the guard restarts tasks again. */
  forgive(): void {
    const state = this.#state;
    state.failing = {};
    state.troubles = state.troubles.filter(({ code }) => code !== 'connector-failed');
    this.#forget();
    this.#isAskedBack = troublesOf(state).some(isGone);
  }

  /**
   * Forgets what was noted about problems that are over. If the same problem comes back, it counts
   * as new, and an earlier request does not create the connector again.
   */
  #forget(): void {
    const left = troublesOf(this.#state);
    if (!left.some(isGone)) this.#isAskedBack = false;
    if (left.length > 0) return;
    this.#state.since = null;
    this.#heeded = '';
  }

  /**
   * Returns true if a person has sent `retry` for a connector that the guard found deleted. A
   * window that finds it deleted then creates it again. Each `retry` is returned only once.
   */
  takeAskedBack(): boolean {
    const was = this.#isAskedBack;
    this.#isAskedBack = false;
    return was;
  }
}

const isOver =
  (others: readonly ConnectorTrouble[]) =>
  (trouble: ConnectorTrouble): boolean =>
    !others.some((other) => isSameTrouble(trouble, other));
