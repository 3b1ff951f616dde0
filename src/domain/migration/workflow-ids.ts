// The workflow ids of migrations. Other tools rely on them.

const PREFIX = 'migration-';

/** Returns the workflow id of the migration with this `metadata.name`. */
export const migrationId = (name: string): string => `${PREFIX}${name}`;

/** Returns whether a text looks like the workflow id of a migration. */
export const isWorkflowId = (text: string): boolean => text.startsWith(PREFIX);

/**
 * Returns the workflow id for a text that a person typed. A text that is already an id stays as it
 * is.
 */
export const workflowIdOf = (nameOrId: string): string =>
  isWorkflowId(nameOrId) ? nameOrId : migrationId(nameOrId);

/**
 * Returns the name of a migration from its workflow id. A text that is already a name stays as it
 * is.
 */
export const nameOf = (workflowId: string): string =>
  isWorkflowId(workflowId) ? workflowId.slice(PREFIX.length) : workflowId;
