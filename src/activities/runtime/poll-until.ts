// Functions for activities that wait. They send heartbeats, and observe cancellation and deadlines.
import { Context } from '@temporalio/activity';

const said = new WeakMap<Context, unknown>();

/**
 * Sends a heartbeat. Without details, it repeats the last details, so that a reader always sees what
 * the activity waits for.
 */
export function beat(details?: unknown): void {
  const context = Context.current();
  if (details !== undefined) said.set(context, details);
  context.heartbeat(said.get(context));
}

/** Sends a heartbeat and sleeps. Throws if the activity is cancelled or the worker stops. */
export async function pause(ms: number, details?: unknown): Promise<void> {
  beat(details);
  await Context.current().sleep(ms);
}

/**
 * Sends heartbeats while `work` runs. A missing heartbeat means that the worker died, because a slow
 * server is ended by the time limit of the call.
 */
export async function alive<T>(work: () => Promise<T>, details?: () => unknown): Promise<T> {
  const ticker = setInterval(() => beat(details?.()), 2000);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
  }
}

/**
 * Polls `ask` until it returns something, or returns null at the deadline (epoch ms). The pauses
 * grow with the time already waited, from `everyMs` to a second. This bounds the added latency to
 * 10 %, and keeps long waits from competing for the processor.
 */
export async function pollUntil<T>(
  deadline: number,
  everyMs: number,
  ask: () => Promise<T | null>,
  details?: () => unknown,
): Promise<T | null> {
  const started = Date.now();
  for (;;) {
    const answer = await alive(ask);
    if (answer !== null) return over(answer);
    const rest = Math.max(everyMs, Math.min(1000, (Date.now() - started) / 10));
    if (Date.now() + rest > deadline) return over(null);
    await pause(rest, details?.());
  }
}

/** Deletes the description of what the activity waits for, and returns `answer`. */
function over<T>(answer: T): T {
  said.delete(Context.current());
  return answer;
}
