// Waiting inside an activity: heartbeats, cancellation and a deadline in one place.
import { Context } from '@temporalio/activity';

/** Sleeps, heartbeating; throws when the activity is cancelled or the worker stops. */
export async function pause(ms: number, details?: unknown): Promise<void> {
  const context = Context.current();
  context.heartbeat(details);
  await context.sleep(ms);
}

/** Heartbeats while `work` runs: a missed heartbeat means a dead worker, not a slow server (every call to one has a time limit of its own). */
export async function alive<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const ticker = setInterval(() => context.heartbeat(), 2000);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
  }
}

/** Polls `ask` until it answers something, or returns null at the deadline (epoch ms). */
export async function pollUntil<T>(deadline: number, everyMs: number, ask: () => Promise<T | null>, details?: () => unknown): Promise<T | null> {
  for (;;) {
    const answer = await alive(ask);
    if (answer !== null) return answer;
    if (Date.now() + everyMs > deadline) return null;
    await pause(everyMs, details?.());
  }
}
