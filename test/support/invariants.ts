// Checks four invariants on a whole run: its history in Temporal and its rows in the ledger. Their
// numbers are those in docs/explanation/cutover.md. Each check returns the problem, or null. For
// each check, a test changes a correct run in one way, and the check must find the change.

interface HistoryEvent {
  readonly eventType: string;
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType: { readonly name: string };
  };
}

export interface RunRecord {
  /** The JSON of `temporal workflow show`. */
  readonly history: { readonly events: readonly HistoryEvent[] };
  /** The texts about the run that people can see, such as its reports and its status. */
  readonly shown: readonly string[];
  /** Values that must never be visible: passwords and values of rows. */
  readonly secrets: readonly string[];
  readonly windows: readonly {
    readonly number: number;
    readonly generation: number;
    readonly position: string | null;
  }[];
  /** The events of the audit, in order. `id` is the number of the event. */
  readonly events: readonly { readonly id: string; readonly kind: string }[];
  /** The objects that the ledger lists for the run, with the state of each. */
  readonly objects: readonly {
    readonly kind: string;
    readonly name: string;
    readonly state: string;
  }[];
  /** The objects that exist in the systems. */
  readonly present: readonly { readonly kind: string; readonly name: string }[];
}

const PLAIN_EVENTS = 500;
const EVENTS_PER_WINDOW = 12;
const PAYLOAD_BYTES = 32 * 1024;

/**
 * I13: no secret and no value of a row is in a history, a report or a log. The payloads of Temporal
 * are base64, so they are decoded first.
 */
export function secretsKept({ history, shown, secrets }: RunRecord): string | null {
  const texts = [...shown, JSON.stringify(history), ...payloadsOf(history)];
  const leaked = secrets.filter((secret) => texts.some((text) => text.includes(secret)));
  return leaked.length === 0
    ? null
    : `I13: ${leaked.length} of ${secrets.length} planted values can be read`;
}

/** I14: the history is small enough that Temporal can keep it for months. */
export function historyIsSmall({ history, windows }: RunRecord): string | null {
  const count = history.events.length;
  const allowed = PLAIN_EVENTS + EVENTS_PER_WINDOW * new Set(windows.map((w) => w.number)).size;
  if (count > allowed) return `I14: ${count} events > ${allowed}`;
  const largest = Math.max(0, ...payloadsOf(history).map((text) => Buffer.byteLength(text)));
  return largest > PAYLOAD_BYTES ? `I14: a payload of ${largest} bytes > ${PAYLOAD_BYTES}` : null;
}

/**
 * I16: no number is missing among the audit's events, and the ledger lists each existing object.
 */
export function auditIsWhole({ events, objects, present }: RunRecord): string | null {
  const gap = events.findIndex((event, at) => event.id !== `${at + 1}`);
  if (gap >= 0) return `I16: event ${gap + 1} is not in the audit`;
  const strange = present.filter(
    (o) => !objects.some((known) => known.kind === o.kind && known.name === o.name),
  );
  return strange.length === 0
    ? null
    : `I16: ${strange[0]!.kind} ${strange[0]!.name} is not in the ledger`;
}

/** I17: the positions of windows never decrease within a generation. */
export function positionsGrow({ windows }: RunRecord): string | null {
  const newest = new Map<number, bigint>();
  for (const { number, generation, position } of [...windows].sort((a, b) => a.number - b.number)) {
    if (position === null) continue;
    const [high, low] = position.split('/').map((part) => BigInt(`0x${part}`)) as [bigint, bigint];
    const at = (high << 32n) + low;
    if (at < (newest.get(generation) ?? 0n))
      return `I17: window ${number} is at ${position}, which is lower than that of an earlier window`;
    newest.set(generation, at);
  }
  return null;
}

/** Returns every payload of the history, decoded. */
function payloadsOf(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  if ('data' in value && 'metadata' in value && typeof value.data === 'string')
    return [Buffer.from(value.data, 'base64').toString('utf8')];
  return Object.values(value).flatMap(payloadsOf);
}
