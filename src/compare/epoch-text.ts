// Prints times that are counted from 1970, and times of day that are counted from midnight, as ISO
// text in UTC. A number out of range becomes a text that no date or time column accepts. Such a
// text outside the key makes only its row unknown, and the fold keeps the record.

export type Count = number | bigint;

const SECONDS_PER_DAY = 86_400;
/** The largest number of seconds that a JavaScript date can have, before and after 1970. */
const MOST_SECONDS = 8_640_000_000_000;

/** Prints an instant. `count` has `perSecond` units per second: 1, 1000, 10^6 or 10^9. */
export function instantText(count: Count, perSecond: number, zone: 'Z' | '' = 'Z'): string {
  const [seconds, rest] = divided(count, perSecond);
  return momentText(seconds, rest, perSecond, zone);
}

/** Prints an instant that is given as whole seconds and a fraction of a second. */
export function momentText(
  seconds: number,
  rest: number,
  perSecond: number,
  zone: 'Z' | '' = 'Z',
): string {
  if (!(Math.abs(seconds) <= MOST_SECONDS)) return `out of range: ${seconds} s`;
  return `${isoOf(seconds).slice(0, -5)}${fraction(rest, perSecond)}${zone}`;
}

/** Prints a date that is given as days since 1970. */
export const dateText = (days: Count): string =>
  Math.abs(Number(days)) * SECONDS_PER_DAY <= MOST_SECONDS
    ? isoOf(Number(days) * SECONDS_PER_DAY).replace(/T.*$/, '')
    : `out of range: ${days} d`;

/** Prints a time of day. `count` has `perSecond` units per second since midnight. */
export function timeOfDayText(count: Count, perSecond: number): string {
  const [seconds, rest] = divided(count, perSecond);
  if (seconds < 0 || seconds > SECONDS_PER_DAY) return `out of range: ${seconds} s`;
  const part = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return `${part(Math.floor(minutes / 60))}:${part(minutes % 60)}:${part(seconds % 60)}${fraction(rest, perSecond)}`;
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** Returns the whole units, rounded down, and the rest. */
function divided(count: Count, by: number): [whole: number, rest: number] {
  if (typeof count === 'number') {
    const whole = Math.floor(count / by);
    return [whole, count - whole * by];
  }
  const rest = ((count % BigInt(by)) + BigInt(by)) % BigInt(by);
  return [Number((count - rest) / BigInt(by)), Number(rest)];
}

function fraction(rest: number, perSecond: number): string {
  if (rest === 0) return '';
  return `.${String(rest).padStart(String(perSecond).length - 1, '0')}`;
}
