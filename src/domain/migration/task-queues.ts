// Defines the task queues of migrations. Each kind of work has its own queue and its own worker
// slots, so that no kind can use up the slots of a different kind. Other tools rely on the names.

/** The task queue on which a migration is started. The names of the other queues begin with it. */
export const TASK_QUEUE = 'migrations';

/**
 * A migration whose spec has this label runs on the queues of its zone, which only workers of the
 * zone serve.
 */
const ZONE_LABEL = 'zone';
/** A zone's name has no hyphen, because a hyphen begins the suffix of a queue's role. */
export const ZONE_PATTERN = /^[a-z0-9]{1,40}$/;

/** A zone, or null for the migrations that have none. */
export type Zone = string | null;

export const zoneOf = (labels: Readonly<Record<string, string>>): Zone =>
  labels[ZONE_LABEL] ?? null;

/** Returns the queue of a zone: `migrations`, or `migrations.eu`. */
export const queueOfZone = (queue: string, zone: Zone): string =>
  zone === null ? queue : `${queue}.${zone}`;

/** The kinds of work that have a queue each. */
export const QUEUE_ROLES = ['steps', 'data', 'watch', 'hold'] as const;
export type QueueRole = (typeof QUEUE_ROLES)[number];

interface Queue {
  readonly suffix: string;
  /** How many activities of this queue one worker runs at a time, unless SLUICE_SLOTS is set. */
  readonly slots: number;
  /** The shortest time between two heartbeats that the worker sends to Temporal for an activity. */
  readonly heartbeatEvery: string;
}

export const QUEUES: Readonly<Record<QueueRole, Queue>> = {
  /** Workflows, and activities that take seconds. */
  steps: { suffix: '', slots: 40, heartbeatEvery: '5s' },
  /** Windows, which can read whole tables and topics. */
  data: { suffix: '-data', slots: 2, heartbeatEvery: '5s' },
  /**
   * Activities that mostly wait, for hours or weeks, such as the guard of each migration. Frequent
   * heartbeats of an activity that runs this long would cost the most on Temporal Cloud.
   */
  watch: { suffix: '-watch', slots: 1000, heartbeatEvery: '30s' },
  /**
   * The drain and the final window. The hold lasts until both have ended, so no other window may
   * delay them.
   */
  hold: { suffix: '-hold', slots: 4, heartbeatEvery: '5s' },
};

/**
 * Returns the queue for a role. Its name begins with `queue`, on which the migration was started.
 */
export const queueFor = (queue: string, role: QueueRole): string => queue + QUEUES[role].suffix;

/** Returns whether the queue is for the drain and the final window, which run during the hold. */
export const isForHold = (queue: string): boolean => queue.endsWith(QUEUES.hold.suffix);
