// Evidence has an epoch. A change of what it rests on begins a new one, which voids approvals and the streak.

/** Name of a fact → its value as comparable text. */
export type Facts = Readonly<Record<string, string>>;

/** Why a new epoch must begin, or null. The first facts of a run begin none. */
export function epochChange(before: Facts | null, now: Facts): string | null {
  if (before === null) return null;
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  const changed = names.filter((name) => before[name] !== now[name]);
  if (changed.length === 0) return null;
  return changed.map((name) => `${name}: ${before[name] ?? '(absent)'} → ${now[name] ?? '(absent)'}`).join('; ');
}

/** Stable within an epoch: what an approval names. */
export const evidenceIdOf = (iteration: number, epoch: number, planHash: string): string => `ev-${iteration}.${epoch}-${planHash.slice(0, 8)}`;
