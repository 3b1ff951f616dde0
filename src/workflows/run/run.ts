// Represents one run of a migration. It enters phases, repeats them for a new generation or new
// evidence, and keeps the undo list. The file steps.ts runs single steps and waits, and requests.ts
// handles people's requests.
import { CancellationScope, isCancellation, log, workflowInfo } from '@temporalio/workflow';
import { LOST_REMEDY } from '../../domain/capture/adopted.js';
import { durationMs } from '../../domain/values/duration.js';
import type { Blocked } from '../../domain/failure.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { mayFollow, type Phase } from '../../domain/migration/phase.js';
import { BackToValidate, GenerationLost } from './interruptions.js';
import { initialState, type State } from './state.js';
import { Steps } from './steps.js';
import { WatchedConnectors } from './watched-connectors.js';

const RESTART_LENGTH = 500;

/** The body of a phase. The run may enter it again after continue-as-new. */
export type PhaseBody = (run: Run) => Promise<void>;

export class Run extends Steps {
  /**
   * True after the run continued as new while it waited for its next window. It keeps the new run
   * from starting that window too early.
   */
  isBetweenWindows: boolean;
  #scope: CancellationScope | undefined;
  #lost: Blocked | undefined;
  /** Cancels the main path. Set only while the main path runs. */
  interrupt: (() => void) | undefined;
  #isWoken = false;
  readonly connectors: WatchedConnectors;
  startGuard: () => void = () => undefined;
  /** Restarts the guard with the run's current state. */
  renewGuard: () => void = () => undefined;
  /** Creates deleted connectors again while the main path continues. */
  bringBack: () => void = () => undefined;
  /** The number of calls of `bringBack` that have not ended. */
  comingBack = 0;
  stopGuard: () => void = () => undefined;

  constructor(input: unknown, carried: State | undefined) {
    super(input, carried ?? initialState(workflowInfo().firstExecutionRunId));
    this.isBetweenWindows =
      carried?.blocked === null && (carried.phase === 'validate' || carried.phase === 'soak');
    this.connectors = new WatchedConnectors(this.state.watched);
  }

  /** Runs a phase unless it is already done. Checks, shows and records the transition. */
  async enter(phase: Phase, body: PhaseBody): Promise<void> {
    if (this.state.done.includes(phase)) return;
    if (this.state.phase !== phase) {
      if (!mayFollow(this.state.phase, phase))
        throw new Error(`phase ${phase} must not follow ${this.state.phase}`);
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
   * Runs one generation after another. A generation is one unbroken capture. If the capture is
   * lost, the run is blocked, and `retry` starts the next generation with new names.
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

  /**
   * Waits until a person asks for a new generation. Then removes the objects of the lost
   * generation, and increments the generation number.
   */
  async #replaceGeneration(
    { problem, isAnswered }: NonNullable<State['lost']>,
    clear: PhaseBody,
  ): Promise<void> {
    const { state } = this;
    const remedy = this.plan.capture.isAdopted ? LOST_REMEDY : problem.remedy;
    if (!isAnswered) await this.park({ ...problem, remedy }, false);
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
   * Repeats validate, approve and cut-over until the commit. Each `BackToValidate` that a step
   * throws before the commit sends the run back to validate.
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

  /** Adds objects to the undo list before they are created, so that a rollback removes them. */
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

  /** Ends the request for approval, and the streak of passed windows. */
  withdrawEvidence(): void {
    this.state.needsApproval = false;
    this.state.approvalSince = null;
    this.state.passesInARow = 0;
  }

  /**
   * Begins a new epoch. This discards the coverage: the kinds of day (such as `weekend`) on which a
   * window has passed. After a failed window (`keepsCoverage`), the coverage is kept unless the
   * next window is inconclusive or errored.
   */
  newEpoch(reason: string, keepsCoverage = false): void {
    const hadEvidence =
      this.state.needsApproval || this.state.phase === 'cut-over' || this.state.passesInARow > 0;
    this.state.epoch += 1;
    this.state.evidencePlan = this.state.planHash;
    if (hadEvidence) this.state.voidedAt = this.now();
    this.state.passesInARow = 0;
    this.state.restart = null;
    this.state.recentResult = null;
    if (keepsCoverage) this.state.isCoverageOnTrial = true;
    else this.loseCoverage();
    this.audit({ kind: 'epoch', epoch: this.state.epoch, reason });
  }

  loseCoverage(): void {
    this.state.covered = [];
    this.state.isCoverageOnTrial = false;
  }

  /**
   * Records a harmless restart. The streak and the approvals count again after a full window has
   * passed.
   */
  sawRestart(what: string): void {
    this.state.restart = what.slice(0, RESTART_LENGTH);
    this.state.recentResult = null;
    this.audit({ kind: 'harmless-restart', what });
  }

  /**
   * Ends the current generation, because the guard found that the slot is lost or over its WAL
   * budget. After the commit, a window begins at once instead. It finds the same problem, so its
   * activity throws, and the run is blocked.
   */
  loseGeneration(problem: Blocked): void {
    if (!this.canLoseGeneration) return this.wake();
    this.#lost = problem;
    this.#scope?.cancel();
  }

  protected get canLoseGeneration(): boolean {
    return !this.state.committedAt && this.#scope !== undefined;
  }

  /** Ends the current wait for the next window. */
  wake(): void {
    this.#isWoken = true;
  }

  /**
   * True if the next window must begin now. Possible reasons are a new problem of a connector, a
   * repaired capture, a person who asked for a window, a changed spec, and a slot that was lost
   * after the commit.
   */
  get isWindowDue(): boolean {
    return this.connectors.isNews || this.state.wantedWindow !== null || this.#isWoken;
  }

  /**
   * Marks the beginning of a window. Returns the people who wait for the window, and whether it
   * must be full.
   */
  beginWindow(): { readonly isFull: boolean; readonly askers: Run['askers'] } {
    const isFull = this.state.wantedWindow?.isFull ?? false;
    this.state.wantedWindow = null;
    this.#isWoken = false;
    this.connectors.heed();
    return { isFull, askers: [...this.askers] };
  }

  /** True if the run has completed the phase. */
  isBehind(phase: Phase): boolean {
    return this.state.done.includes(phase);
  }
}

export const everyMs = (run: Run): number => durationMs(run.spec.validation.every);
