// Says whether the slot of a migration is kept by a standby.
import type { MigrationSpec } from '../migration/spec.js';

/** Returns whether the server copies the slot to its standbys (`slot.failover`, Postgres 17 and later). */
export const isFailoverSlot = ({ spec }: MigrationSpec): boolean =>
  spec.connector.config['slot.failover'] === 'true';
