// Provides functions for activities that wait. They send heartbeats, and observe cancellation and
// deadlines. Outside of an activity (`sluice compare`), `pause` and `pollUntil` only wait.
import { asyncLocalStorage, CancelledFailure, Context } from '@temporalio/activity';
import { madeProgress } from '../../clients/progress.js';
import { refuseSuspended } from './stale-attempt.js';

/** The attempts that ended a wait early or refused a change, because Temporal interrupted them. */
const interrupted = new WeakSet<Context>();
const said = new WeakMap<Context, () => unknown>();

/**
 * Sends a heartbeat with the last details, so that Temporal always shows what the activity waits
 * for. Heartbeats are sent at regular intervals, so they do not count as progress.
 */
export function heartbeat(): void {
  const context = asyncLocalStorage.getStore();
  context?.heartbeat(said.get(context)?.());
}

/**
 * Reports progress, and sends a heartbeat. Throws if this attempt made no progress for too long and
 * another attempt has taken over.
 */
export function beat(details?: unknown): void {
  madeProgress();
  const context = asyncLocalStorage.getStore();
  if (context && details !== undefined) said.set(context, () => details);
  heartbeat();
}

/**
 * Throws if the activity is cancelled, or if this attempt was suspended and another attempt has
 * taken over. MUST be called before something is created, changed or removed. Otherwise, the
 * change could come after the cancellation, and a rollback could miss it. After a suspension, the
 * change could even hit a later object of the same name.
 */
export function stopIfCancelled(): void {
  const context = asyncLocalStorage.getStore();
  if (!context) return;
  refuseSuspended(context);
  if (!context.cancellationSignal.aborted) return;
  interrupted.add(context);
  throw new CancelledFailure('cancelled before the next change');
}

/**
 * Returns true if a person paused or reset the activity in Temporal, and this interruption may have
 * changed the attempt's answer. It may have done so if the attempt failed (`hasFailed`), ended a
 * wait early, or refused a change. The run still needs the activity. Therefore the attempt MUST NOT
 * return an answer that the interruption may have changed, nor a failure that it caused.
 */
export function isSetAside(hasFailed: boolean): boolean {
  const context = asyncLocalStorage.getStore();
  if (!context?.cancellationSignal.aborted) return false;
  const { paused, reset, cancelRequested } = context.cancellationDetails ?? {};
  const isAsked = (paused === true || reset === true) && cancelRequested !== true;
  return isAsked && (hasFailed || interrupted.has(context));
}

/** Sends a heartbeat and sleeps. Throws if the activity is cancelled or the worker stops. */
export async function pause(ms: number, details?: unknown): Promise<void> {
  beat(details);
  const context = asyncLocalStorage.getStore();
  if (context) return sleepWithin(context, ms);
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Sleeps like `Context.sleep` of the SDK, but frees its memory after each call. `Context.sleep`
 * keeps more than a kilobyte for each call until the activity ends, and a guard sleeps every second
 * for weeks.
 */
function sleepWithin(context: Context, ms: number): Promise<void> {
  const { cancellationSignal, cancelled } = context;
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      clearTimeout(timer);
      interrupted.add(context);
      cancelled.catch(reject);
    };
    const timer = setTimeout(() => {
      cancellationSignal.removeEventListener('abort', cancel);
      resolve();
    }, ms);
    if (cancellationSignal.aborted) cancel();
    else cancellationSignal.addEventListener('abort', cancel, { once: true });
  });
}

/** Runs `work`. Until `work` returns, each heartbeat contains the current result of `details`. */
export async function describing<T>(details: () => unknown, work: () => Promise<T>): Promise<T> {
  said.set(Context.current(), details);
  return over(await work());
}

/**
 * Polls `ask` until it returns an answer, and returns that answer. Returns null if the
 * next poll would come after the deadline (epoch ms). The pauses grow with the time already waited,
 * from `everyMs` up to a second, so that long waits use little processor time.
 */
export async function pollUntil<T>(
  deadline: number,
  everyMs: number,
  ask: () => Promise<T | null>,
  details?: () => unknown,
): Promise<T | null> {
  const started = Date.now();
  for (;;) {
    const answer = await ask();
    if (answer !== null) return over(answer);
    const rest = Math.max(everyMs, Math.min(1000, (Date.now() - started) / 10));
    if (Date.now() + rest > deadline) return over(null);
    await pause(rest, details?.());
  }
}

/** Deletes the description of what the activity waits for, and returns `answer`. */
function over<T>(answer: T): T {
  const context = asyncLocalStorage.getStore();
  if (context) said.delete(context);
  return answer;
}
