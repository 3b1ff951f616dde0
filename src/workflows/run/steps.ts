// Runs the steps of a run. A step that fails usually blocks the run. The run fails only if its spec
// is invalid or its name is refused. While the run waits (`wait`, `edge`, `park`), it continues as
// new if its history is long.
import {
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
  sleep,
  workflowInfo,
  allHandlersFinished,
} from '@temporalio/workflow';
import { ENDS_GENERATION, type Blocked } from '../../domain/failure.js';
import type { Rehearsed, WindowAnswer } from '../../domain/evidence/ledger-rows.js';
import { isLong } from '../../domain/migration/history-limits.js';
import { Journal } from './journal.js';
import {
  BackToValidate,
  GenerationLost,
  RunRefused,
  foundNoSlot,
  problemOf,
} from './interruptions.js';
import type { State } from './state.js';

// The pauses between automatic retries, in minutes. The run retries if the cause of a block may
// disappear by itself. The pauses grow, because a block may last for weeks and each attempt adds
// events to the history.
const SELF_RETRY = [1, 2, 5, 10, 10, 10, 20, 30, 60];
const MINUTE_MS = 60_000;

/** The remedy for a lost capture after the commit. */
const NO_GENERATION_REMEDY =
  'sluice rollback, because no new generation can begin after the commit, and the stream no longer gets the changes of the source; if you have repaired the cause: sluice retry';

export abstract class Steps extends Journal {
  readonly input: unknown;
  #retries = 0;
  /** The number of retries that have led to a new attempt. */
  #answeredRetries = 0;
  /** True from the beginning of a hold until its fence is released or the commit has happened. */
  isHolding = false;
  /**
   * A requested rehearsal that has not ended. It is not part of State, because a run continues as
   * new only after the handler of the request has ended.
   */
  rehearsal: { readonly by: string; result: Rehearsed | null } | undefined;
  /** People who wait for a window. Like a rehearsal, they are not part of State. */
  readonly askers: { answer: WindowAnswer | null }[] = [];
  /** True while a loss of the capture ends the generation. Otherwise, a loss blocks the run. */
  protected abstract readonly canLoseGeneration: boolean;

  constructor(input: unknown, state: State) {
    super(state);
    this.input = input;
  }

  /**
   * Runs one step. A failure that a person can fix blocks the run. The step runs again after
   * `retry`, and usually also by itself. Its success clears the block. A step that is not
   * `pausable` runs even while the run is paused.
   */
  async step<T>(act: () => Promise<T>, pausable = true): Promise<T> {
    const result = await this.ask(act, pausable);
    await this.unblock();
    return result;
  }

  /** Like `step`, but success does not clear a block. The caller clears it at the right time. */
  async ask<T>(act: () => Promise<T>, pausable = true): Promise<T> {
    for (;;) {
      if (pausable) await this.edge();
      // A retry that arrives during this attempt usually causes a further one, because this one may
      // have met the problem before the person repaired it.
      this.#answeredRetries = this.#retries;
      try {
        return await act();
      } catch (error) {
        if (isCancellation(error)) throw error;
        // after the cancellation, the activity may fail with any error
        if (CancellationScope.current().consideredCancelled)
          throw new CancelledFailure('cancelled');
        if (this.isHolding && foundNoSlot(error))
          throw new BackToValidate('no worker had a free slot during the hold');
        const problem = problemOf(error, this.now());
        if (!problem) throw error;
        if (problem.code === 'spec-invalid' || problem.code === 'name-refused')
          throw new RunRefused(problem.detail);
        const isLoss = ENDS_GENERATION.includes(problem.code);
        if (isLoss && this.canLoseGeneration) throw new GenerationLost(problem);
        const { committedAt, wayBack } = this.state;
        if (isLoss && committedAt !== null && wayBack === null)
          await this.park({ ...problem, remedy: NO_GENERATION_REMEDY }, false);
        else await this.park(problem, true);
      }
    }
  }

  /**
   * Blocks the run visibly until `retry`. With `heals`, the run also tries again by itself, with
   * growing pauses, and a retry that arrived during the failed attempt counts. Without `heals`, the
   * retry is a person's consent, so it counts only if it arrives after the run is blocked.
   */
  async park(problem: Blocked, heals: boolean): Promise<void> {
    // the number is read here, because a retry may arrive while the code below writes to the ledger
    const before = heals ? this.#answeredRetries : this.#retries;
    const { state } = this;
    const known = state.blocked?.code === problem.code ? state.blocked : null;
    if (!known) state.selfRetries = 0; // a different block begins with short pauses
    state.blocked = known ? { ...problem, since: known.since } : problem;
    if (known?.detail !== problem.detail) {
      this.audit({ kind: 'blocked', code: problem.code, problem: problem.detail });
      this.show();
      await this.flush();
    }
    const isAsked = (): boolean => this.#retries > before;
    const isWoken = (): boolean => isAsked() || this.#isFull;
    if (heals) {
      const minutes = SELF_RETRY[Math.min(state.selfRetries, SELF_RETRY.length - 1)]!;
      const summary = `Blocked (${problem.code}): wait for retry`;
      await condition(isWoken, minutes * MINUTE_MS, { summary });
    } else await condition(isWoken);
    if (!isAsked()) await this.#leave(isAsked);
    state.selfRetries = isAsked() ? 0 : state.selfRetries + 1;
    if (!heals) await this.unblock();
  }

  /**
   * Clears the block, and writes the new status to the ledger at once. Otherwise, `mirror` would
   * write it up to a minute later, or even later if the ledger did not answer before.
   */
  async unblock(): Promise<void> {
    if (!this.state.blocked) return;
    this.audit({ kind: 'unblocked', code: this.state.blocked.code });
    this.state.blocked = null;
    this.state.selfRetries = 0;
    this.show();
    await this.flush();
  }

  /**
   * Waits until `ready` returns true, but at most `ms`. Returns whether `ready` is true. Time in
   * which the run is paused also counts. MUST be called at a safe point for continue-as-new.
   */
  async wait(ready: () => boolean, ms: number, summary: string): Promise<boolean> {
    if (ms <= 0) return ready();
    await condition(() => ready() || this.#isFull, ms, { summary });
    if (!ready()) await this.#leave(ready);
    return ready();
  }

  async idle(ms: number, summary: string): Promise<void> {
    if (ms > 0) await sleep(ms, { summary });
  }

  /**
   * Marks a safe point, at which the next run can continue from the state alone. Waits while the
   * run is paused, and continues as new if the history is long.
   */
  async edge(): Promise<void> {
    const isResumed = (): boolean => !this.state.paused;
    for (;;) {
      if (!isResumed()) await condition(() => isResumed() || this.#isFull);
      await this.#leave();
      if (isResumed()) return;
    }
  }

  /**
   * True if the run must continue as new. A run never does so during a hold, which must be short.
   */
  get #isFull(): boolean {
    return !this.isHolding && isLong(workflowInfo());
  }

  /** Continues as new if the history is long, unless `isWoken` becomes true first. */
  async #leave(isWoken: () => boolean = () => false): Promise<void> {
    if (!this.#isFull) return;
    do {
      await this.#endHandlers();
      await this.flush(); // so that no write is under way when this run ends
    } while (!allHandlersFinished()); // a message that arrived meanwhile would be lost
    if (isWoken()) return;
    const { memo } = workflowInfo();
    await makeContinueAsNewFunc<(input: unknown, carried: State) => Promise<unknown>>(
      memo ? { memo } : {},
    )(this.input, this.state);
  }

  /**
   * Waits until no handler of a message is running. Answers people who wait for a rehearsal or a
   * window, even if they ask during this wait. Otherwise they would wait for the run, and the run
   * for them.
   */
  async #endHandlers(): Promise<void> {
    const refused =
      'the run continues as new, so it cannot answer now; the window runs next (see sluice windows)';
    const isAwaited = (): boolean =>
      this.rehearsal?.result === null || this.askers.some(({ answer }) => answer === null);
    while (!allHandlersFinished()) {
      if (this.rehearsal?.result === null)
        this.rehearsal.result = { refused: 'the run continues as new; ask again', holdMs: null };
      for (const asker of this.askers) asker.answer ??= { refused, window: null };
      await condition(() => allHandlersFinished() || isAwaited());
    }
  }

  /**
   * Ends the wait of a blocked run. If an attempt is running, it ends the next wait, except if that
   * wait needs a person's consent (see `park`).
   */
  retry(): void {
    this.#retries += 1;
  }
}
