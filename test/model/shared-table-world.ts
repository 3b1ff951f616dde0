// Defines the state (the "world") that the model of a shared table explores: the shared table, its
// staging table, the sink's tasks and the batch.
import { OPEN } from './state.js';

/**
 * The steps of a sink task. At `between`, the task has either written its record or committed its
 * offset, but not both.
 */
export const TASK = { gone: 0, idle: 1, polled: 2, between: 3 } as const;
/** The steps of the run. At `paused`, it has paused the sink. */
export const PC = {
  idle: 0,
  paused: 1,
  copied: 2,
  locked: 3,
  seen: 4,
  committed: 5,
  moved: 6,
  back: 7,
  undone: 8,
} as const;
export const BATCH = { idle: 0, hasTable: 1, allowed: 2 } as const;

export interface Task {
  pc: number;
  /** 1 = the task writes to the shared table. */
  shared: number;
  /** The number of the record that the task writes next. */
  at: number;
}

export interface World {
  clock: number;
  state: number;
  expires: number;
  triggers: number;
  staging: number; // 1 = the table exists
  inStaging: number; // a bit for each record that the staging table has
  inTable: number; // a bit for each record that the shared table has
  /**
   * The rows written by the transaction that holds the locks. −1 means that no such transaction
   * is open.
   */
  pending: number;
  offset: number;
  pc: number;
  saw: number;
  crashed: number;
  batch: number;
  task: Task;
  /** Kafka Connect shows this task as PAUSED, but the task still has a record to write. */
  stray: Task;
}

export const initial: World = {
  clock: 0,
  state: OPEN,
  expires: 0,
  triggers: 0,
  staging: 1,
  inStaging: 0,
  inTable: 0,
  pending: -1,
  offset: 0,
  pc: PC.idle,
  saw: 0,
  crashed: 0,
  batch: BATCH.idle,
  task: { pc: TASK.idle, shared: 0, at: 0 },
  stray: { pc: TASK.gone, shared: 0, at: 0 },
};
