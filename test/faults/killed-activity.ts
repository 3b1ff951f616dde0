// Runs an activity in a process that kills itself at one of the activity's effects. An effect is a
// change outside the process.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('crash-child.mjs', import.meta.url));

/** The activity, its arguments, and the effect at which `crash-child.mjs` dies. */
export interface KillOrder {
  readonly activity: string;
  readonly args: readonly unknown[];
  readonly at: number;
  readonly when: 'before' | 'after';
  /** Only effects whose text (such as their SQL) matches this pattern count. */
  readonly only?: string;
  /** Effects count from the first one whose text contains this text. */
  readonly from?: string;
  /** Activities that run before this activity in the same process, with their arguments. */
  readonly earlier?: readonly (readonly [string, readonly unknown[]])[];
}

/**
 * Returns null if the process killed itself, or else the number of effects of the activity. If the
 * activity failed, throws an error with the process's output on stderr.
 */
export function runUntilKilled(order: KillOrder): number | null {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [CHILD, JSON.stringify(order)],
    { encoding: 'utf8' },
  );
  if (signal === 'SIGKILL') return null;
  if (status !== 0) throw new Error(`${order.activity} failed instead of dying: ${stderr}`);
  return Number(stdout.trim());
}
