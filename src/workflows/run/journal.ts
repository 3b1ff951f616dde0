// Publishes a run's status, audit (with a copy in the ledger), search attributes, memo and current
// details.
import {
  CancellationScope,
  condition,
  log,
  setCurrentDetails,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import { auditEvent, type AuditEntry } from '../../domain/audit.js';
import { signersUnder, type BrokenGlass } from '../../domain/decisions/cosign.js';
import type { MigrationRef, Status } from '../../domain/evidence/ledger-rows.js';
import { leading, trailing } from '../../domain/values/json-bytes.js';
import { resolve } from '../../domain/plan/resolve.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { call } from '../call.js';
import { KEYS } from './search-attribute-keys.js';
import { blockedOf, type State } from './state.js';
import { currentDetails, statusOf } from './status-view.js';
import { evidenceId } from './gate-state.js';

const MAX_AUDIT = 200;
// Temporal terminates a run that sends a payload of more than 2 MB. These limits are far below
// that.
const AUDIT_BYTES = 100_000;
const BYTES_AT_ONCE = 200_000;
const EVENTS_AT_ONCE = 500;
const BEHIND_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

export class Journal {
  readonly state: State;
  #shown = '';
  #writing: Promise<boolean> | undefined;
  #writtenAt = 0;
  #plan: ResolvedPlan | undefined;
  #planOf: MigrationRef['spec'] | undefined;

  constructor(state: State) {
    this.state = state;
  }

  get ref(): MigrationRef {
    const { spec, iteration, generation, planHash, runKey } = this.state;
    if (!spec) throw new Error('the run is not recorded in the ledger yet');
    return {
      name: spec.metadata.name,
      iteration,
      generation,
      workflowId: workflowInfo().workflowId,
      runKey,
      planHash,
      spec,
    };
  }

  /** True if this execution continues an earlier one, after a reset or after continue-as-new. */
  get isContinued(): boolean {
    return workflowInfo().runId !== this.state.runKey;
  }

  /**
   * Returns the plan of this generation. The workflow computes the plan, so that no history
   * contains it.
   */
  get plan(): ResolvedPlan {
    const { spec, generation } = this.ref;
    if (this.#plan?.generation !== generation || this.#planOf !== spec) {
      this.#plan = resolve({ spec, generation });
      this.#planOf = spec; // an edit replaces the spec
    }
    return this.#plan;
  }

  get spec(): MigrationRef['spec']['spec'] {
    return this.ref.spec.spec;
  }

  now(): string {
    return new Date().toISOString(); // the workflow's clock, which is deterministic
  }

  /**
   * Appends an audit event. Its id contains the run id. A run that was reset repeats earlier
   * numbers under a new run id, so its events count as new.
   */
  audit(entry: AuditEntry): void {
    this.state.events += 1;
    const id = `${workflowInfo().runId}/${this.state.events}`;
    const event = auditEvent(id, this.now(), entry);
    this.state.outbox.push(event);
    this.state.audit = trailing([...this.state.audit, event].slice(-MAX_AUDIT), AUDIT_BYTES);
  }

  /**
   * Copies status and audit to the ledger, where `sluice get` finds them if no worker runs. If the
   * ledger does not answer, the run continues, and the next call writes what is missing. Returns
   * whether the ledger has everything.
   */
  async flush(): Promise<boolean> {
    if (!this.state.spec || this.state.iteration === 0) return true;
    // Two writes must not overlap. After this loop, there is no await until `#writing` is set.
    while (this.#writing) await this.#writing;
    this.#writtenAt = Date.parse(this.now());
    this.#writing = this.#write();
    try {
      return await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /** Waits until nothing is being written to the ledger. */
  async settle(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /**
   * Writes the status and the outbox. Events stay in the outbox until the ledger has them, because
   * the run may continue as new.
   */
  async #write(): Promise<boolean> {
    const { state } = this;
    try {
      do {
        const part = leading(state.outbox.slice(0, EVENTS_AT_ONCE), BYTES_AT_ONCE);
        await CancellationScope.nonCancellable(() =>
          call(
            'quick',
            'record',
            'Write status and audit to the ledger',
            this.ref,
            this.status(),
            part,
          ),
        );
        state.outbox = state.outbox.slice(part.length);
      } while (state.outbox.length > 0);
      return true;
    } catch (error) {
      log.warn(`the ledger did not take the status: ${(error as Error).message}`);
      return false;
    }
  }

  /**
   * Copies audit events that the main path has not written yet, so that the ledger is about a
   * minute behind at most. Runs alongside the main path and never ends. While the ledger does not
   * answer, the pauses between attempts grow.
   */
  async mirror(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (let failures = 0; ;) {
        await condition(() => this.state.outbox.length > 0 && !this.#writing && this.#isOpen);
        const due = this.#writtenAt + Math.min(BEHIND_MS * 2 ** failures, LONGEST_PAUSE_MS);
        const left = due - Date.parse(this.now());
        if (left > 0) await sleep(left, { summary: 'Until the ledger is updated' });
        await this.settle();
        if (this.state.outbox.length === 0) continue;
        failures = (await this.flush()) ? 0 : failures + 1;
      }
    });
  }

  get #isOpen(): boolean {
    return this.state.spec !== null && this.state.outcome === null;
  }

  /** Waits at the end of a run until the ledger has everything. */
  async flushSurely(): Promise<void> {
    while (!(await this.flush()))
      await CancellationScope.nonCancellable(() =>
        sleep(30_000, { summary: 'Until the ledger answers' }),
      );
  }

  status(): Status {
    return statusOf(this.state, workflowInfo().workflowId, this.now());
  }

  details(): string {
    return currentDetails(this.state, workflowInfo().workflowId, this.now());
  }

  evidence(named: readonly string[]): unknown {
    const { epoch, facts, lastWindow, passesInARow, covered, planHash, brokenGlass } = this.state;
    return {
      run: this.state.runKey,
      evidenceId: evidenceId(this.state),
      epoch,
      planHash,
      passesInARow,
      covered,
      lastWindow,
      facts,
      ...shownOf(this.state.spec ? this.plan : null, brokenGlass, this.now(), named),
      ...(brokenGlass ? { brokenGlass } : {}),
    };
  }

  /** Publishes search attributes (one upsert for all that changed), memo and current details. */
  show(): void {
    const { state } = this;
    setCurrentDetails(this.details());
    const attributes: SearchAttributePair[] = [
      { key: KEYS.phase, value: state.phase ?? 'start' },
      { key: KEYS.verdict, value: state.lastWindow?.verdict ?? 'none' },
      { key: KEYS.blocked, value: blockedOf(state)?.code ?? 'no' },
      { key: KEYS.needsApproval, value: state.needsApproval },
      ...(state.spec
        ? [
            { key: KEYS.team, value: state.spec.metadata.labels['team'] ?? 'none' },
            { key: KEYS.source, value: this.plan.database },
          ]
        : []),
      ...(state.matchRatio === null ? [] : [{ key: KEYS.matchRatio, value: state.matchRatio }]),
    ];
    const shown = JSON.stringify(attributes.map((a) => a.value));
    if (shown === this.#shown) return;
    this.#shown = shown;
    // The lag changes with every window. It is sent only with other changes, because a separate
    // upsert would cost a history event.
    upsertSearchAttributes([
      ...attributes,
      ...(state.lag.ms === null ? [] : [{ key: KEYS.lagMs, value: state.lag.ms }]),
    ]);
    if (state.committedAt) upsertMemo({ cutoverCommittedAt: state.committedAt });
  }
}

/**
 * Returns the names of the signers and the parts of the plan that a person must know before a
 * decision. Before the run is open, the signers are the approvers that its input names.
 */
function shownOf(
  plan: ResolvedPlan | null,
  glass: BrokenGlass | null,
  now: string,
  named: readonly string[],
): { switches: string; notes: readonly string[]; signers: readonly string[] } {
  if (!plan) return { switches: '', notes: [], signers: named };
  const { steps, notes, spec } = plan;
  const switches = steps.find((s) => s.name === 'commit')!.does;
  return { switches, notes, signers: signersUnder(glass, spec.cutover.approval, now) };
}
