// Waiting inside an activity: heartbeats, cancellation and a deadline in one place.
import { Context } from '@temporalio/activity';

/** Sleeps, heartbeating; throws when the activity is cancelled or the worker stops. */
export async function pause(ms: number, details?: unknown): Promise<void> {
  const context = Context.current();
  context.heartbeat(details);
  await context.sleep(ms);
}

/** Polls `ask` until it answers something, or returns null at the deadline (epoch ms). */
export async function pollUntil<T>(deadline: number, everyMs: number, ask: () => Promise<T | null>, details?: () => unknown): Promise<T | null> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() + everyMs > deadline) return null;
    await pause(everyMs, details?.());
  }
}
