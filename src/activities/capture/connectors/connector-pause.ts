// Pauses the source connector while a window compares results, and makes sure that it runs again.
// Each pause is recorded in the ledger before it begins, so that another worker can end the pause
// if this worker dies.
import {
  PENDING,
  type ConnectControl,
  type ConnectorStatus,
} from '../../../clients/http/connect-control.js';
import { closePause, openPause, pausesOf } from '../../../clients/ledger/connector-pauses.js';
import { pausedBy } from '../../../domain/evidence/still-point.js';
import { because, ok, type OrReason } from '../../../domain/values/or-reason.js';
import type { Deps } from '../../runtime/deps.js';
import { pollUntil } from '../../runtime/poll-until.js';
import { GONE_MS } from './connector-state.js';
import type { Planned } from '../../runtime/with-plan.js';

type Needs = Pick<Deps, 'ledger' | 'systems'>;

const POLL_MS = 20;
/**
 * The guard resumes a connector that a window paused, if the pause lasts longer than its limit plus
 * this time.
 */
const GRACE_MS = 2000;
/** A window tries for this long to resume its connector. After that, the guard tries. */
const RESUME_MS = 30_000;

export interface Paused<T> {
  readonly value: T;
  /** Milliseconds from the request to pause until the attempt to resume the connector ended. */
  readonly pausedMs: number;
}

/**
 * Runs `use` while every task of the connector is paused. `use` gets the deadline of the pause,
 * which is `atMostMs` after the request to pause. Returns a reason if the connector is not running
 * before the pause, does not pause in time, or is stopped. Resumes the connector even after a
 * cancellation, unless a person stopped or deleted it during the pause.
 */
export async function whilePaused<T>(
  { ledger, systems }: Needs,
  { ref, plan }: Planned,
  atMostMs: number,
  use: (deadline: number) => Promise<T>,
): Promise<OrReason<Paused<T>>> {
  const rest = systems.connect(plan);
  const connector = plan.sourceConnectors[0]!;
  const found = await rest.status(connector);
  if (!isAll(found, 'RUNNING'))
    return because(`connector ${connector} is not running: Connect reports ${said(found)}`);
  const id = await openPause(ledger, ref, connector, atMostMs + GRACE_MS);
  // The write to the ledger may have taken a while. A person may have paused the connector
  // meanwhile, and a window must not resume it then.
  const still = await rest.status(connector).catch(() => found);
  if (!isAll(still, 'RUNNING')) {
    await closePause(ledger, id, 'window').catch(() => undefined);
    return because(`connector ${connector} is not running: Connect reports ${said(still)}`);
  }
  const started = Date.now();
  const deadline = started + atMostMs;
  let value: T;
  try {
    await rest.pause(connector);
    let last: ConnectorStatus | null = found;
    const stands = await pollUntil(deadline, POLL_MS, async () => {
      last = await rest.status(connector);
      return isAll(last, 'PAUSED') || isStopped(last) ? true : null;
    });
    if (isStopped(last))
      return because(`connector ${connector} was stopped while a window paused it`);
    if (!stands)
      return because(`connector ${connector} did not pause in time: Connect reports ${said(last)}`);
    value = await use(deadline);
  } finally {
    if (await resumeSurely(rest, connector, RESUME_MS))
      await closePause(ledger, id, 'window').catch(() => undefined);
  }
  const pausedMs = Date.now() - started;
  return ok({ value, pausedMs });
}

/**
 * Ends the pauses that an earlier activity attempt of a window left open. Returns true if a
 * connector was still paused.
 */
export async function endLeftPauses(
  { ledger, systems }: Needs,
  { ref, plan }: Planned,
): Promise<boolean> {
  const rest = systems.connect(plan);
  let isResumed = false;
  for (const connector of plan.sourceConnectors) {
    const open = (await pausesOf(ledger, ref, connector)).filter((p) => p.closedBy === null);
    if (open.length === 0) continue;
    isResumed ||= isPaused(await rest.status(connector).catch(() => null));
    if (!(await resumeSurely(rest, connector, RESUME_MS))) continue;
    for (const { id } of open) await closePause(ledger, id, 'successor');
  }
  return isResumed;
}

/**
 * Resumes a source connector that is still paused although the window that paused it has ended.
 * Returns the name of the resumed connector, or null if none was resumed.
 */
export async function endOverduePause(deps: Needs, { ref, plan }: Planned): Promise<string | null> {
  const rest = deps.systems.connect(plan);
  for (const connector of plan.sourceConnectors) {
    if (!isPaused(await rest.status(connector))) continue;
    const by = pausedBy(await pausesOf(deps.ledger, ref, connector));
    if (by.kind !== 'ended-window' || !(await resumeSurely(rest, connector, RESUME_MS))) continue;
    await closePause(deps.ledger, by.id, 'guard');
    return connector;
  }
  return null;
}

/**
 * Wraps Connect so that a connector that a window paused is reported as running. A person's pause
 * stays visible.
 */
export function withoutWindowPauses(
  { ledger, systems }: Needs,
  { ref, plan }: Planned,
): Pick<ConnectControl, 'config' | 'status' | 'howToResume'> {
  const rest = systems.connect(plan);
  const running = <P extends { readonly state: string }>(part: P): P =>
    part.state === 'PAUSED' ? { ...part, state: 'RUNNING' } : part;
  return {
    config: (name) => rest.config(name),
    howToResume: (name) => rest.howToResume(name),
    status: async (name) => {
      const status = await rest.status(name);
      if (status === null || !isPaused(status)) return status;
      if (pausedBy(await pausesOf(ledger, ref, name)).kind === 'person') return status;
      return { connector: running(status.connector), tasks: status.tasks.map(running) };
    },
  };
}

/**
 * Resumes the connector, and waits until neither the connector nor any of its tasks is paused.
 * Returns true when nothing is paused, or if the connector is stopped or certainly deleted. Returns
 * false at the time limit. A cancellation of the activity does not end the wait, because a
 * cancelled window must still resume its connector. Never throws.
 */
async function resumeSurely(
  rest: ConnectControl,
  connector: string,
  limitMs: number,
): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  let goneSince: number | null = null;
  for (;;) {
    const state = await resume(rest, connector).catch(() => 'unknown' as const);
    goneSince = state === 'gone' ? (goneSince ?? Date.now()) : null;
    if (state === 'resumed' || state === 'stopped') return true;
    if (goneSince !== null && Date.now() - goneSince >= GONE_MS) return true;
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function resume(
  rest: ConnectControl,
  connector: string,
): Promise<'resumed' | 'paused' | 'stopped' | 'gone'> {
  if ((await rest.config(connector)) === null) return 'gone';
  if (isStopped(await rest.status(connector))) return 'stopped';
  await rest.resume(connector);
  const status = await rest.status(connector);
  return isPaused(status) || isPending(status) ? 'paused' : 'resumed';
}

const partsOf = (status: ConnectorStatus): string[] => [
  status.connector.state,
  ...status.tasks.map((task) => task.state),
];

const isPaused = (status: ConnectorStatus | null): boolean =>
  status !== null && partsOf(status).includes('PAUSED');

/** True if Connect has not carried out the last request yet, so the connector may be paused. */
const isPending = (status: ConnectorStatus | null): boolean => status?.connector.state === PENDING;

/** A person's request to stop counts at once, although the connector may still be paused. */
const isStopped = (status: ConnectorStatus | null): boolean =>
  status?.connector.state === 'STOPPED' || status?.awaited === 'STOPPED';

const isAll = (status: ConnectorStatus | null, state: string): boolean =>
  status !== null && status.tasks.length > 0 && partsOf(status).every((part) => part === state);

const said = (status: ConnectorStatus | null): string =>
  status === null ? 'no such connector' : [...new Set(partsOf(status))].join(' and ');
