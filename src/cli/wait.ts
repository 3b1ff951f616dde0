// sluice wait ID --for phase=P|outcome=O|blocked|approval --timeout 10m: waits until the run meets
// the condition. Scripts use it.
import { DURATION_PATTERN, durationMs } from '../domain/values/duration.js';
import type { Status } from '../domain/evidence/ledger-rows.js';
import { PHASES, isOutcome, isPhase, type Phase } from '../domain/migration/phase.js';
import { pollStatus } from './support/poll-status.js';
import { CliError, EXIT, print, say, type Format } from './support/output.js';

const POLL_MS = 500;

export async function wait(
  id: string,
  options: { for: string; timeout: string; output: Format },
): Promise<number> {
  const reached = condition(options.for);
  if (!DURATION_PATTERN.test(options.timeout))
    throw new CliError(
      EXIT.usage,
      'usage',
      `--timeout ${options.timeout} is not a duration like 10m`,
    );
  const deadline = Date.now() + durationMs(options.timeout);
  return pollStatus(id, POLL_MS, async (status) => {
    const { windows: _windows, standing, ...summary } = status;
    const isItsOwn = standing?.isEarlierRun !== true;
    if (isItsOwn && reached(status)) {
      await print(
        summary,
        options.output,
        () =>
          `${status.name}: ${options.for} (phase ${status.phase}${status.outcome ? `, ${status.outcome}` : ''})`,
      );
      return EXIT.ok;
    }
    if (isItsOwn && status.outcome) {
      say(`${status.name} ended as ${status.outcome}; ${options.for} was not reached`);
      return EXIT.endedOtherwise;
    }
    if (standing?.isDead) {
      say(`${status.name}: ${options.for} cannot be reached: ${standing.problem}`);
      return EXIT.failed;
    }
    if (Date.now() <= deadline) return null;
    say(
      `${status.name}: ${options.for} not reached within ${options.timeout} (phase ${status.phase}${status.blocked ? `, blocked: ${status.blocked.detail}` : ''}${standing?.problem ? `, ${standing.problem}` : ''}${status.waiting ? `, waits for ${status.waiting}` : ''})`,
    );
    return EXIT.timeout;
  });
}

/**
 * Parses a condition. Returns a function that says whether a status meets the condition. A run that
 * is already past the awaited phase or approval also meets the condition. Throws an error with exit
 * code 2 for an unknown condition.
 */
export function condition(text: string): (status: Status) => boolean {
  const [kind, value = ''] = text.split('=');
  if (kind === 'phase' && isPhase(value)) return (status) => hasReached(status, value);
  if (kind === 'outcome' && isOutcome(value)) return (status) => status.outcome === value;
  if (text === 'blocked') return (status) => status.blocked !== null;
  if (text === 'approval')
    return (status) =>
      status.needsApproval ||
      (status.phase !== null &&
        status.phase !== 'roll-back' &&
        PHASES.indexOf(status.phase) > PHASES.indexOf('approve'));
  throw new CliError(
    EXIT.usage,
    'usage',
    `--for ${text} is not phase=PHASE, outcome=OUTCOME, blocked or approval (phases: ${PHASES.join(', ')})`,
  );
}

function hasReached(status: Status, wanted: Phase): boolean {
  if (status.phase === null) return false;
  if (wanted === 'roll-back' || status.phase === 'roll-back') return status.phase === wanted;
  return PHASES.indexOf(status.phase) >= PHASES.indexOf(wanted);
}
