// sluice explain ID: prints why the run does not move, what it waits for, and the command that
// helps. It asks the live run, or else the ledger.
import type { StatusWithWindows } from '../domain/evidence/ledger-rows.js';
import type { WindowRow } from '../domain/evidence/window.js';
import type { Standing } from '../domain/migration/run-standing.js';
import { REMOVE_LEFTOVERS } from '../report/state-words.js';
import { readStatus } from './support/migration-source.js';
import { EXIT, asLines, print, type Format } from './support/output.js';

export interface Explanation {
  readonly name: string;
  readonly phase: string | null;
  /** Names the obstacle, or says that there is none. */
  readonly because: string;
  /** One entry for each activity that the run waits for, from its latest heartbeat. */
  readonly waits: readonly string[];
  readonly remedy: string | null;
  readonly next: readonly string[];
}

export async function explain(id: string, options: { output: Format }): Promise<number> {
  const explanation = explainStatus(await readStatus(id));
  await print(explanation, options.output, () =>
    asLines([
      `${explanation.name} is in ${explanation.phase ?? 'no phase yet'}.`,
      explanation.because,
      ...explanation.waits,
      ...(explanation.remedy ? [`Remedy: ${explanation.remedy}`] : []),
      ...explanation.next.map((command) => `  → ${command}`),
    ]),
  );
  return EXIT.ok;
}

export function explainStatus(status: StatusWithWindows): Explanation {
  const { name, phase, next, standing } = status;
  const waits = status.outcome ? [] : (standing?.waits ?? []).map((wait) => `Doing: ${wait}.`);
  const age =
    standing?.from === 'ledger' && !status.outcome
      ? ` (This is from the ledger, as of ${standing.at}; the workflow does not answer.)`
      : '';
  const say = (because: string, remedy: string | null = null): Explanation => ({
    name,
    phase,
    because: `${because}${age}`,
    waits,
    remedy,
    next,
  });
  if (status.outcome)
    return say(
      `It has ended: ${status.outcome}${status.leftovers.length > 0 ? `, with ${status.leftovers.length} objects left over` : ''}.`,
      status.leftovers.length > 0 ? REMOVE_LEFTOVERS : null,
    );
  if (standing?.problem)
    return say(`${verdictOn(standing)}: ${standing.problem}.`, standing.remedy.join('; '));
  if (status.blocked)
    return say(
      `It has been blocked since ${status.blocked.since} (${status.blocked.code}): ${status.blocked.detail}.`,
      status.blocked.remedy,
    );
  if (status.paused)
    return say('It is paused: Sluice begins no further step. Connector and guard continue.');
  if (status.approved)
    return say(
      `Evidence ${status.evidenceId} is approved. ${status.waiting ? `The cut-over waits for ${status.waiting}` : 'The cut-over begins'}. A failed window voids the evidence.`,
    );
  if (status.needsApproval)
    return say(
      `It needs approval of evidence ${status.evidenceId}. Windows continue during the wait, and a failed window voids the evidence.`,
    );
  const number = status.windows.at(-1)?.number;
  const bad = status.windows.find((w) => w.number === number && w.verdict !== 'passed');
  if (phase === 'validate' && bad)
    return say(`${didNotPass(bad)} Approval needs several windows that pass in a row.`);
  if (phase === 'soak' && bad)
    return say(`${didNotPass(bad)} It waits for ${status.waiting ?? 'windows that pass'}.`);
  if (status.waiting) return say(`It waits for ${status.waiting}.`);
  if (phase === 'validate')
    return say(
      'Windows pass, but approval needs more of them, or windows on other kinds of days (validation.coverage).',
    );
  return say(waits.length > 0 ? 'It is working.' : 'Nothing blocks it.');
}

const didNotPass = ({ number, subject, verdict, reason }: WindowRow): string =>
  `Window ${number} ${verdict === 'failed' ? 'failed' : `is ${verdict}`}: ${subject}: ${reason}.`;

function verdictOn({ isDead, from }: Standing): string {
  if (isDead) return 'It cannot continue';
  return from === 'workflow' ? 'It needs a person' : 'It is unknown whether it continues';
}
