// Renders a run for people: its status, whose form is part of the contract, the next commands, and
// the current details in the Web UI.
import { resolve } from '../../domain/plan/resolve.js';
import { glassNote } from '../../domain/decisions/cosign.js';
import { formatMs } from '../../domain/values/duration.js';
import { awaitsFullWindow, stopRule } from '../../domain/evidence/streak.js';
import type { Status } from '../../domain/evidence/ledger-rows.js';
import { PHASES, type Outcome } from '../../domain/migration/phase.js';
import { nameOf } from '../../domain/migration/workflow-ids.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { evidenceId, gateWaitsFor, quorumOf } from './gate-state.js';
import { blockedOf, soakEnds, streakOf, type LastWindow, type State } from './state.js';
import { editsOf } from './watched-connectors.js';

export function statusOf(state: State, workflowId: string, now: string): Status {
  const approved = isApproved(state, now);
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    id: workflowId,
    name: nameOf(workflowId),
    iteration: state.iteration,
    generation: state.generation,
    phase: state.phase,
    outcome: state.outcome,
    blocked: blockedOf(state),
    paused: state.paused,
    epoch: state.epoch,
    needsApproval: state.needsApproval,
    ...(approved ? { approved } : {}),
    evidenceId: evidenceId(state),
    lag: state.lag,
    tables: state.tables,
    approvals: state.approvals,
    route: state.route,
    handedOver: state.handedOver,
    leftovers: state.leftovers,
    next: nextCommands(state, nameOf(workflowId), approved),
    waiting: waitingOf(state, now),
  };
}

/** Returns whether enough people have approved the evidence that is up for approval. */
function isApproved(state: State, now: string): boolean {
  if (!state.needsApproval || !state.spec) return false;
  const { have, needed } = quorumOf(state, now);
  return have >= needed;
}

/**
 * Returns what the run waits for, as text without a period at its end. Returns null while the run's
 * activities work, and after the run has ended.
 */
export function waitingOf(state: State, now: string): string | null {
  const { phase } = state;
  if (state.outcome !== null || !state.spec || phase === null) return null;
  const { spec } = state.spec;
  if (blockedOf(state)) return 'a person to fix the problem, or the next automatic attempt';
  if (state.paused) return 'resume';
  if (phase === 'validate') return stopRule(streakOf(state), spec.validation);
  if (phase === 'approve') return waitingInApprove(state, now);
  return phase === 'soak' ? waitingInSoak(state, spec, now) : null;
}

function waitingInApprove(state: State, now: string): string | null {
  const gate = gateWaitsFor(state, now);
  if (gate !== null) return gate;
  const { nextAttemptAt } = state;
  return nextAttemptAt !== null && nextAttemptAt > now
    ? `the next attempt at the cut-over, at ${nextAttemptAt}`
    : null;
}

function waitingInSoak(state: State, spec: MigrationSpec['spec'], now: string): string {
  const { passes } = spec.soak;
  const until = soakEnds(state, spec.soak);
  const time = until > now ? `the end of the soak at ${until}` : null;
  const windows =
    state.shadowPasses < passes
      ? `${passes - state.shadowPasses} more passed windows (${passes} are required)`
      : null;
  const what =
    [time, windows].filter((part) => part !== null).join(' and ') || 'the current window';
  return `${what}. Two people may end the soak early (sluice complete), and anyone may extend it (sluice extend)`;
}

export function nextCommands(state: State, name: string, approved = false): string[] {
  if (state.outcome !== null) return [`sluice report ${name} -o md`];
  if (blockedOf(state)) return [`sluice retry ${name}`, `sluice rollback ${name} --reason "..."`];
  if (state.paused) return [`sluice resume ${name}`];
  if (state.needsApproval)
    return [
      approved
        ? `sluice get ${name} -w`
        : `sluice approve ${name} --approver YOU --reason "..." --evidence ${evidenceId(state)}`,
      `sluice reject ${name} --approver YOU --reason "..."`,
    ];
  const differences = differencesOf(state, name);
  if (state.phase === 'soak')
    return [
      ...differences,
      `sluice get ${name} -w`,
      `sluice complete ${name} --approver YOU --reason "..."`,
      `sluice extend ${name} --for 24h`,
      `sluice rollback ${name} --reason "..."`,
    ];
  return [...differences, `sluice get ${name} -w`];
}

/**
 * If the last window compared both sides but did not pass, returns the command that shows why.
 * Without a number, `sluice diff` shows the newest failed window. So the command for an
 * inconclusive window has its number.
 */
function differencesOf({ lastWindow }: State, name: string): string[] {
  if (lastWindow?.verdict === 'failed') return [`sluice diff ${name}`];
  return lastWindow?.verdict === 'inconclusive'
    ? [`sluice diff ${name} --window ${lastWindow.number}`]
    : [];
}

/**
 * Returns Markdown with the most important line first. It has at most eight lines, and one more for
 * each edited connector, because the box in the Web UI is small.
 */
export function currentDetails(state: State, workflowId: string, now: string): string {
  const lines = [headline(state, workflowId, now), phaseLine(state)];
  const last = state.lastWindow;
  if (last)
    lines.push(
      `Window ${last.number}: **${last.verdict}** ${last.reason} · in a row ${state.passesInARow} of ${state.spec?.spec.validation.passesInARow ?? '?'} · took ${formatMs(last.durationMs)}`,
    );
  if (state.lag.ms !== null)
    lines.push(
      `Lag ${state.lag.ms} ms${state.lag.records === null ? '' : `, ${state.lag.records} records`}`,
    );
  const restarts = Object.entries(state.restarts).map(
    ([connector, count]) => `${connector} ${count}×`,
  );
  if (restarts.length > 0) lines.push(`Connector tasks restarted: ${restarts.join(', ')}`);
  if (state.restart !== null) lines.push(`⚠ ${awaitsFullWindow(state.restart)}`);
  for (const edit of editsOf(state.watched)) lines.push(`⚠ ${edit}`);
  if (state.walAlarm) lines.push(`⚠ ${state.walAlarm}`);
  if (state.brokenGlass) lines.push(`⚠ ${glassNote(state.brokenGlass)}`);
  return lines.join('\n\n');
}

function headline(state: State, workflowId: string, now: string): string {
  const spec = state.spec?.spec;
  const signal = (name: string, input?: object): string =>
    `\`temporal workflow signal -w ${workflowId} --name ${name}${input ? ` --input '${JSON.stringify(input)}'` : ''}\``;
  if (state.outcome !== null) return ended(state, state.outcome, nameOf(workflowId));
  const blocked = blockedOf(state);
  if (blocked)
    return `**Blocked (${blocked.code}): ${blocked.detail}**. Remedy: ${blocked.remedy}. Then ${signal('retry')}`;
  if (state.paused) return `**Paused.** Continue with ${signal('resume')}`;
  if (state.needsApproval && state.spec) {
    const { have, needed } = quorumOf(state, now);
    const notes = resolve({ spec: state.spec, generation: state.generation }).notes.map(
      (note) => ` ⚠ ${note}.`,
    );
    if (have < needed)
      return `**Needs approval** of ${evidenceId(state)} (${have}/${needed}): ${signal('approveCutover', { approver: 'YOU', evidenceId: evidenceId(state) })}${notes.join('')}`;
    const awaited = gateWaitsFor(state, now);
    return `**Approved**; ${awaited === null ? 'cutting over' : `waits for ${awaited}`}`;
  }
  if (state.phase === 'validate' && spec) {
    if (state.lastWindow?.verdict === 'failed')
      return `**Validating**: the last window found differences. Look at \`sluice diff ${nameOf(workflowId)}\`. Windows continue.`;
    if (state.lastWindow && state.lastWindow.verdict !== 'passed')
      return `**Validating**: ${provesNothing(state, state.lastWindow, nameOf(workflowId))}`;
    return `**Validating**: waits for ${stopRule(streakOf(state), spec.validation) ?? 'the end of the phase'}. Nothing to do.`;
  }
  if (state.phase === 'soak' && spec)
    return `**Soak**: waits for ${waitingInSoak(state, spec, now)}. If consumers have trouble: \`sluice rollback ${nameOf(workflowId)}\``;
  return `**${state.phase ?? 'starting'}** in progress. Nothing to do.`;
}

/**
 * Says what to do about a window that is inconclusive or errored. A person must act if the cause
 * does not end by itself, such as a record that cannot be read.
 */
function provesNothing(state: State, { number, verdict }: LastWindow, name: string): string {
  const shown = differencesOf(state, name).map((command) => ` \`${command}\` shows more.`);
  return `window ${number} is ${verdict}, so it proves nothing. Windows continue. If the next ones do not pass either, remove the cause that the reason names.${shown.join('')}`;
}

/** Names the objects that still run, what is left to do, and the command that shows more. */
function ended({ handedOver, leftovers }: State, outcome: Outcome, name: string): string {
  const listed = (objects: Status['leftovers']): string =>
    objects.map((object) => `${object.kind} ${object.name}`).join(', ');
  if (leftovers.length > 0)
    return `**${outcome}**, but ${listed(leftovers)} could not be removed. Remove what is left with \`sluice doctor --leftovers --remove\`; remove by hand what it does not list (\`sluice audit ${name}\` names it)`;
  const report = `\`sluice report ${name} -o md\``;
  if (outcome !== 'migrated')
    return handedOver.length > 0
      ? `**${outcome}** after a reset. These objects had been handed over before, and stay: ${listed(handedOver)}. ${report} says why.`
      : `**${outcome}**. Nothing of the migration is left. ${report} says why, and \`sluice start\` begins again.`;
  const yours = handedOver.length > 0 ? ` From now on these are yours: ${listed(handedOver)}.` : '';
  return `**migrated**. Nothing to do.${yours} The proof: ${report}`;
}

function phaseLine(state: State): string {
  if (state.phase === 'roll-back') return `${state.outcome === null ? '▶' : '✔'} roll-back`;
  return PHASES.filter((p) => p !== 'roll-back')
    .map((p) =>
      state.outcome === 'migrated' || state.done.includes(p)
        ? `✔ ${p}`
        : p === state.phase
          ? `▶ ${p}`
          : `○ ${p}`,
    )
    .join(' · ');
}
