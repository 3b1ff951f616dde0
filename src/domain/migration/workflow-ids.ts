// Names under which Temporal knows migrations and their workers. Scripts depend on them, so they do
// not change within v1alpha1.

/** The queue that every worker serves. Heavy data work goes to the queue beside it. */
export const TASK_QUEUE = 'migrations';

/** The queue for heavy data work beside `queue`. */
export const dataQueue = (queue: string): string => `${queue}-data`;

const PREFIX = 'migration-';

/** The workflow id of the migration with this `metadata.name`. */
export const migrationId = (name: string): string => `${PREFIX}${name}`;

/** As `migrationId`, for what a person types: an id stays as it is. */
export const workflowIdOf = (nameOrId: string): string =>
  nameOrId.startsWith(PREFIX) ? nameOrId : migrationId(nameOrId);

/** The name of a migration by its workflow id; a name stays as it is. */
export const nameOf = (workflowId: string): string =>
  workflowId.startsWith(PREFIX) ? workflowId.slice(PREFIX.length) : workflowId;
