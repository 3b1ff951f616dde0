// Creates and removes the publication, which contains exactly the plan's tables. The publication
// must exist before the slot, because a slot can decode only changes that are newer than the
// publication.
import { PUBLISHES_GENERATED } from '../../clients/postgres/catalog.js';
import type { SourceClient } from '../../clients/postgres/connection.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { quoteIdent, quoteLiteral } from '../../domain/migration/names.js';
import { askEach, changing, finds, isThere, type Asking, type OwnedKind } from './owned-kind.js';

const exists = (asking: Asking, { name }: { readonly name: string }): Promise<boolean> =>
  finds(asking, `SELECT 1 FROM pg_publication WHERE pubname = ${quoteLiteral(name)}`);

/**
 * Returns true if the publication must contain stored generated columns, and the server supports
 * this.
 */
async function publishesStored(client: SourceClient, { capture }: ResolvedPlan): Promise<boolean> {
  if (!capture.publishesStored) return false;
  const { rows } = await client.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  return Number(rows[0]!.version) >= PUBLISHES_GENERATED;
}

export const publication: OwnedKind = {
  exists,
  /**
   * Publishes changes of partitions under the name of the root table, so that a partitioned table
   * has one topic.
   */
  create: async (site, { name }) => {
    const tables = site.plan.tables.map(({ sql }) => sql).join(', ');
    await changing(site, async (client) => {
      const stored = await publishesStored(client, site.plan);
      await client.query(
        `CREATE PUBLICATION ${quoteIdent(name)} FOR TABLE ${tables} WITH (publish_via_partition_root = true${stored ? ', publish_generated_columns = stored' : ''})`,
      );
    });
  },
  remove: async (site, { name }) => {
    await changing(site, (client) => client.query(`DROP PUBLICATION ${quoteIdent(name)}`));
  },
  healthy: isThere(exists),
  nameCheck: { check: 'source.names-free', taken: askEach(exists) },
};
