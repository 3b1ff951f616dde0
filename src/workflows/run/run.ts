// One run of a migration: its state, and what phases do with it. They enter, run steps that block
// instead of failing, wait, and change course.
import {
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  sleep,
  workflowInfo,
  allHandlersFinished,
} from '@temporalio/workflow';
import type { AuditEntry } from '../../domain/audit.js';
import { durationMs } from '../../domain/values/duration.js';
import { ENDS_GENERATION, type Blocked } from '../../domain/failure.js';
import type { OwnedObject, Rehearsed } from '../../domain/evidence/ledger-rows.js';
import { isLong } from '../../domain/migration/history-limits.js';
import { mayFollow, type Phase } from '../../domain/migration/phase.js';
import { Journal } from './journal.js';
import { BackToValidate, GenerationLost, RunRefused, foundNoSlot, problemOf } from './course.js';
import { blockedOf, initialState, type State, type WayBack } from './state.js';
import { WatchedConnectors } from './watched-connectors.js';

// The pauses between automatic retries, in minutes, while the cause of a block may disappear by
// itself. A block may last for weeks, and each attempt costs events of the history.
const SELF_RETRY = [1, 2, 5, 10, 10, 10, 20, 30, 60];
const MINUTE_MS = 60_000;
const RESTART_LENGTH = 500;

/** A phase works on the run. After continue-as-new, it may be entered again. */
export type PhaseBody = (run: Run) => Promise<void>;

export class Run extends Journal {
  readonly input: unknown;
  /** True after continue-as-new between two windows, until the next one, which is not due yet. */
  isBetweenWindows: boolean;
  #scope: CancellationScope | undefined;
  #lost: Blocked | undefined;
  #retries = 0;
  /** True from the beginning of a hold until its fence was released or the commit happened. */
  isHolding = false;
  /** Cancels the main path. Set by the scope that runs it. */
  interrupt: (() => void) | undefined;
  /**
   * A requested rehearsal that has not ended. It is not part of State, because continue-as-new
   * waits for the update to finish.
   */
  rehearsal: { readonly by: string; result: Rehearsed | null } | undefined;
  readonly connectors: WatchedConnectors;
  startGuard: () => void = () => undefined;
  /** Calls the guard again, with what the run knows now. */
  renewGuard: () => void = () => undefined;
  /** Creates deleted connectors again beside the main path. */
  bringBack: () => void = () => undefined;
  stopGuard: () => void = () => undefined;

  constructor(input: unknown, carried: State | undefined) {
    super(carried ?? initialState(workflowInfo().firstExecutionRunId));
    this.input = input;
    this.isBetweenWindows =
      carried?.blocked === null && (carried.phase === 'validate' || carried.phase === 'soak');
    this.connectors = new WatchedConnectors(this.state.watched);
  }

  /** Runs a phase unless it is already done. Checks the transition, shows it and records it. */
  async enter(phase: Phase, body: PhaseBody): Promise<void> {
    if (this.state.done.includes(phase)) return;
    if (this.state.phase !== phase) {
      if (!mayFollow(this.state.phase, phase))
        throw new Error(`phase ${phase} may not follow ${this.state.phase}`);
      this.state.phase = phase;
      this.audit({ kind: 'phase', phase });
    }
    this.show();
    await this.flush();
    await this.edge();
    log.info(`phase ${phase}`);
    await body(this);
    this.state.done.push(phase);
  }

  /**
   * Runs one generation after another. A generation is one unbroken capture. If it is lost, the run
   * parks, and `retry` starts the next generation with new names.
   */
  async eachGeneration(body: () => Promise<void>, clear: PhaseBody): Promise<void> {
    while (!this.isBehind('cut-over')) {
      if (this.state.lost) await this.#replaceGeneration(this.state.lost, clear);
      try {
        const scope = new CancellationScope();
        this.#scope = scope;
        await scope.run(body);
      } catch (error) {
        const lost =
          error instanceof GenerationLost
            ? error.problem
            : isCancellation(error)
              ? this.#lost
              : undefined;
        if (!lost || this.state.wayBack) throw error;
        this.#lost = undefined;
        if (this.state.needsApproval || this.state.phase === 'cut-over')
          this.state.voidedAt = this.now();
        this.withdrawEvidence();
        this.state.lost = { problem: lost, isAnswered: false };
      } finally {
        this.#scope = undefined;
      }
    }
  }

  /** Waits until a person asks for a new generation, then removes the lost one and counts on. */
  async #replaceGeneration(
    { problem, isAnswered }: NonNullable<State['lost']>,
    clear: PhaseBody,
  ): Promise<void> {
    const { state } = this;
    if (!isAnswered) await this.park(problem, false);
    state.lost = { problem, isAnswered: true };
    await clear(this);
    state.lost = null;
    state.generation += 1;
    state.done = state.done.filter((p) => p === 'prepare');
    state.facts = null;
    state.slotIdentified = false;
    state.walAlarm = null;
    this.renewGuard();
    this.newEpoch(`generation ${state.generation} after ${problem.code}`);
  }

  /**
   * Repeats validate, approve and cut over until the commit. Any problem before the commit goes
   * back to validate.
   */
  async untilCommitted(body: () => Promise<void>): Promise<void> {
    while (!this.isBehind('cut-over')) {
      try {
        await body();
      } catch (error) {
        if (!(error instanceof BackToValidate)) throw error;
        this.audit({ kind: 'back-to-validate', reason: error.message });
        this.withdrawEvidence();
        this.state.done = this.state.done.filter((p) => p !== 'validate' && p !== 'approve');
      }
    }
  }

  /**
   * Runs one step. A failure that a person can fix parks the run until `retry`, or until the cause
   * disappears by itself; then the step runs again. A step that is not `pausable` runs even while
   * the run is paused.
   */
  async step<T>(act: () => Promise<T>, pausable = true): Promise<T> {
    const result = await this.ask(act, pausable);
    await this.unblock();
    return result;
  }

  /** Runs one step whose success does not yet mean that a block is over. */
  async ask<T>(act: () => Promise<T>, pausable = true): Promise<T> {
    for (;;) {
      if (pausable) await this.edge();
      try {
        return await act();
      } catch (error) {
        if (isCancellation(error)) throw error;
        // an activity that is waited for may fail in its own way after the cancellation
        if (CancellationScope.current().consideredCancelled)
          throw new CancelledFailure('cancelled');
        if (this.isHolding && foundNoSlot(error))
          throw new BackToValidate('no worker had a slot free during the hold');
        const problem = problemOf(error, this.now());
        if (!problem) throw error;
        if (problem.code === 'spec-invalid' || problem.code === 'name-refused')
          throw new RunRefused(problem.detail);
        if (ENDS_GENERATION.includes(problem.code) && !this.state.committedAt && this.#scope)
          throw new GenerationLost(problem);
        await this.park(problem, true);
      }
    }
  }

  /**
   * Blocks the run visibly until `retry`. With `heals`, it also tries again by itself, with growing
   * pauses.
   */
  async park(problem: Blocked, heals: boolean): Promise<void> {
    const before = this.#retries; // a retry may come while the ledger is still being written
    const { state } = this;
    const known = state.blocked?.code === problem.code ? state.blocked : null;
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
   * Clears the block and writes that to the ledger at once. Otherwise the ledger would show the
   * block until the next phase, which may be days away.
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
   * Waits until `ready` or for `ms`. Returns whether it is ready. Paused time counts. MUST be
   * called at a safe point for continue-as-new.
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
   * Marks a safe point, where everything pending is in the state: waits while the run is paused,
   * and continues as new if the history is long.
   */
  async edge(): Promise<void> {
    const isResumed = (): boolean => !this.state.paused;
    for (;;) {
      if (!isResumed()) await condition(() => isResumed() || this.#isFull);
      await this.#leave();
      if (isResumed()) return;
    }
  }

  /** True if the run must continue as new. A hold never does, because writers wait for its end. */
  get #isFull(): boolean {
    return !this.isHolding && isLong(workflowInfo());
  }

  /** Continues as new if the history is long, unless `isWoken` becomes true first. */
  async #leave(isWoken: () => boolean = () => false): Promise<void> {
    if (!this.#isFull) return;
    // a rehearsal would wait for this run to continue, and this run for the rehearsal
    if (this.rehearsal?.result === null)
      this.rehearsal.result = { refused: 'the run continues as new; ask again', holdMs: null };
    await condition(allHandlersFinished);
    await this.flush(); // so that no write is under way when this run ends
    if (isWoken()) return;
    const { memo } = workflowInfo();
    await makeContinueAsNewFunc<(input: unknown, carried: State) => Promise<unknown>>(
      memo ? { memo } : {},
    )(this.input, this.state);
  }

  /** Adds objects to the undo list before they are created, so that a rollback knows them. */
  willMake(...objects: OwnedObject[]): void {
    for (const object of objects) {
      if (
        !this.state.undo.some(
          (o) => o.kind === object.kind && o.name === object.name && o.where === object.where,
        )
      )
        this.state.undo.push(object);
    }
  }

  /** Ends the request for approval. */
  withdrawEvidence(): void {
    this.state.needsApproval = false;
    this.state.approvalSince = null;
    this.state.passesInARow = 0;
  }

  /**
   * Begins a new epoch. Coverage is lost, unless a window failed over an unchanged setup
   * (`keepsCoverage`): then it is on trial, and the next window decides.
   */
  newEpoch(reason: string, keepsCoverage = false): void {
    const hadEvidence =
      this.state.needsApproval || this.state.phase === 'cut-over' || this.state.passesInARow > 0;
    this.state.epoch += 1;
    if (hadEvidence) this.state.voidedAt = this.now();
    this.state.passesInARow = 0;
    this.state.restart = null;
    if (keepsCoverage) this.state.isCoverageOnTrial = true;
    else this.loseCoverage();
    this.audit({ kind: 'epoch', epoch: this.state.epoch, reason });
  }

  loseCoverage(): void {
    this.state.covered = [];
    this.state.isCoverageOnTrial = false;
  }

  /** Records a harmless restart. Streak and approvals wait until a full window has passed. */
  sawRestart(what: string): void {
    this.state.restart = what.slice(0, RESTART_LENGTH);
    this.audit({ kind: 'harmless-restart', what });
  }

  /** Interrupts the main path, so that the roll-back phase runs. The first request wins. */
  requestWayBack(wayBack: WayBack): void {
    const { state } = this;
    const { outcome, by, reason } = wayBack;
    const ignored = (why: string): AuditEntry => ({
      kind: 'ignored',
      message: 'roll back',
      by,
      reason: why,
    });
    if (state.outcome || state.wayBack || state.phase === 'roll-back')
      return this.audit(ignored('already rolling back or at the end'));
    if (
      state.done.includes('complete') ||
      (state.phase === 'complete' && state.done.includes('soak'))
    )
      return this.audit(
        ignored('the batch is being retired, so a rollback is not possible any more'),
      );
    state.wayBack = wayBack;
    this.audit({ kind: 'way-back', outcome, by, reason });
    this.setPaused(false);
    this.interrupt?.();
  }

  /**
   * Ends the current generation from outside the main path, because the guard found that the slot
   * is gone.
   */
  loseGeneration(problem: Blocked): void {
    if (this.state.committedAt || !this.#scope) return;
    this.#lost = problem;
    this.#scope.cancel();
  }

  /**
   * Pauses or resumes the run. A pause never delays a rollback: requesting a rollback ends the
   * pause, and no pause begins during it.
   */
  setPaused(paused: boolean): void {
    if (paused && this.state.wayBack)
      return this.audit({
        kind: 'ignored',
        message: 'pause',
        by: null,
        reason: 'a rollback is never paused',
      });
    if (this.state.paused === paused) return;
    this.state.paused = paused;
    this.audit({ kind: paused ? 'paused' : 'resumed' });
    this.show();
  }

  /** Extends the soak, before or during it. It never becomes shorter. */
  extendSoak(by: string, ms: number): void {
    const { state } = this;
    if (state.outcome || state.wayBack || this.isBehind('soak'))
      return this.audit({ kind: 'ignored', message: 'extend', by, reason: 'the soak is over' });
    const until = new Date(Date.parse(this.now()) + ms).toISOString();
    if (state.soakUntil === null || until > state.soakUntil) state.soakUntil = until;
    this.audit({ kind: 'extended', by, until: state.soakUntil });
    this.show();
  }

  requestRetry(): void {
    const { blocked, phase } = this.state;
    this.audit({ kind: 'retry', code: blockedOf(this.state)?.code ?? null });
    this.connectors.forgive();
    this.renewGuard();
    if (blocked) this.#retries += 1;
    else if (phase === 'connect' || phase === 'catch-up') this.bringBack(); // no window will find it there
    this.show();
  }

  isBehind(phase: Phase): boolean {
    return this.state.done.includes(phase);
  }
}

export const everyMs = (run: Run): number => durationMs(run.spec.validation.every);
