// Asks a database server for its version and its role in a replication.
import type { Check } from '../../domain/evidence/check.js';
import { attempt } from '../runtime/make-finding.js';

/** Runs a query and returns its first row. */
export type Ask = (sql: string) => Promise<Record<string, string | null>>;

/** Checks the server's version, and that it is a primary. */
export function serverQuestions(one: Ask, place: 'source' | 'target'): (() => Promise<Check>)[] {
  return [
    () =>
      attempt(`${place}.version`, async () => {
        const version = Number((await one('SHOW server_version_num'))['server_version_num']);
        return version >= 140000 && version < 190000
          ? `server version ${Math.floor(version / 10000)}`
          : {
              detail: `server version ${Math.floor(version / 10000)} is not 14 to 18`,
              remedy: 'use a supported server',
            };
      }),
    () =>
      attempt(`${place}.primary`, async () =>
        (await one('SELECT pg_is_in_recovery() AS standby'))['standby'] === 'f'
          ? 'the server is a primary'
          : {
              detail: 'the server is a standby',
              remedy:
                place === 'source'
                  ? 'use the primary, because evidence from a replica can be stale'
                  : 'use the primary, because the sink and the commit write',
            },
      ),
  ];
}
