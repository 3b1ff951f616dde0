// Checks that the primary is ready for a failover slot, which Postgres copies to the standbys.
import type pg from 'pg';
import type { Answer } from '../runtime/make-finding.js';

/**
 * Checks the server's version and `synchronized_standby_slots`. Without that setting, the connector
 * could read changes that no standby has yet. A standby that becomes the primary would then have
 * different changes at the same positions.
 */
export async function canFailOver(client: pg.ClientBase): Promise<Answer> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('synchronized_standby_slots', true) AS named,
       (SELECT string_agg(slot_name, ', ') FROM pg_replication_slots WHERE slot_type = 'physical' AND active) AS standbys`,
  );
  const { major, named, standbys } = rows[0]!;
  if (Number(major) < 17)
    return {
      detail: `connector.config "slot.failover" needs Postgres 17 or later, and the server is version ${major}; the connector would create an ordinary slot`,
      remedy: 'leave slot.failover out: after a failover, sluice retry starts a new generation',
    };
  const wanted = (named ?? '').split(',').flatMap((name) => name.trim().replaceAll('"', '') || []);
  const active = (standbys ?? '').split(', ');
  const missing = wanted.filter((name) => !active.includes(name));
  if (wanted.length > 0 && missing.length === 0)
    return `the connector gets a change only after the standbys of these slots have it: ${wanted.join(', ')}`;
  return {
    detail:
      wanted.length === 0
        ? 'synchronized_standby_slots is empty, so the connector could be ahead of the standby that is promoted'
        : `synchronized_standby_slots names ${missing.join(', ')}, which no standby uses now, so the connector would wait`,
    remedy: `set synchronized_standby_slots to the physical slot of the standby${standbys ? ` (in use: ${standbys})` : ''}`,
  };
}
