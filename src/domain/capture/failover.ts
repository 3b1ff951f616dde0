// Says whether standbys keep a copy of a migration's slot.
import type { MigrationSpec } from '../migration/spec.js';

/**
 * Returns whether the server copies the slot to its standbys (`slot.failover`, Postgres 17 and
 * later).
 */
export const isFailoverSlot = ({ spec }: MigrationSpec): boolean =>
  spec.connector.config['slot.failover'] === 'true';
