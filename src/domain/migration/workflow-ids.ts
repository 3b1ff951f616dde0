// The workflow ids of migrations. Other tools rely on them.

const PREFIX = 'migration-';

/** Returns the workflow id of the migration with this `metadata.name`. */
export const migrationId = (name: string): string => `${PREFIX}${name}`;

/**
 * Returns the workflow id for a text that a person typed. A text that is already an id stays as it
 * is.
 */
export const workflowIdOf = (nameOrId: string): string =>
  nameOrId.startsWith(PREFIX) ? nameOrId : migrationId(nameOrId);

/**
 * Returns the name of a migration from its workflow id. A text that is already a name stays as it
 * is.
 */
export const nameOf = (workflowId: string): string =>
  workflowId.startsWith(PREFIX) ? workflowId.slice(PREFIX.length) : workflowId;
