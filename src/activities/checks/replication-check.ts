// Checks whether Sluice's role may replicate, by opening a replication session. The attributes of
// the role would not be enough, because managed services grant replication in other ways.
import type pg from 'pg';
import { withSource, type ResolveSecret } from '../../clients/postgres/connection.js';
import { plainIdent } from '../../domain/migration/names.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { SQLSTATE } from '../../domain/values/sqlstate.js';
import { classify } from '../runtime/application-failure.js';
import type { Answer } from '../runtime/make-finding.js';

/**
 * Opens a replication session and closes it. Each managed service grants replication in its own
 * way. But all of them check whether the role may replicate when such a session is opened. `client`
 * reads the catalog for the remedy.
 */
export async function tryReplication(
  client: pg.ClientBase,
  plan: MigrationSpec,
  secret: ResolveSecret,
): Promise<Answer> {
  const { user } = plan.spec.source.postgres;
  try {
    await withSource(plan, secret, (session) => session.query('IDENTIFY_SYSTEM'), {
      speaksReplication: true,
    });
    return 'the role may replicate: it opened a replication session';
  } catch (error) {
    if ((error as { code?: unknown }).code !== SQLSTATE.insufficientPrivilege) throw error;
    return {
      detail: `role ${user} cannot create replication slots: ${classify(error).message}`,
      remedy: (await hasRole(client, 'rds_replication'))
        ? `GRANT rds_replication TO ${plainIdent(user)}`
        : `ALTER ROLE ${plainIdent(user)} REPLICATION`,
    };
  }
}

const hasRole = async (client: pg.ClientBase, name: string): Promise<boolean> =>
  (await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name])).rowCount === 1;
