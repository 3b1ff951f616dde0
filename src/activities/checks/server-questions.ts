// Defines the checks that source and target have in common, and the finding for a server that does
// not answer.
import type pg from 'pg';
import type { Check } from '../../domain/evidence/check.js';
import type { Place } from '../../domain/migration/databases.js';
import { plainIdent } from '../../domain/migration/names.js';
import type { PostgresAddress } from '../../domain/migration/spec.js';
import { classify } from '../runtime/application-failure.js';
import { attempt, failed } from '../runtime/make-finding.js';

/** Runs a query and returns its first row. */
export type Ask = (sql: string) => Promise<Record<string, string | null>>;

export const asking =
  (client: pg.ClientBase): Ask =>
  async (sql) =>
    (await client.query<Record<string, string | null>>(sql)).rows[0] ?? {};

/** The texts for the two possible results: the role may create objects, or it may not. */
interface CreateAnswers {
  readonly may: string;
  readonly mayNot: string;
}

/** Checks that the role has the privilege CREATE on the database, and may write in it at all. */
export const mayCreate =
  (
    one: Ask,
    place: Place,
    { user, database }: PostgresAddress,
    { may, mayNot }: CreateAnswers,
  ): (() => Promise<Check>) =>
  () =>
    attempt(`${place}.create`, async () => {
      // this session is read-only, so the query reads the value with which a session begins
      const right = await one(
        `SELECT has_database_privilege(current_database(), 'CREATE') AS can, (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only`,
      );
      if (right['read_only'] === 'on')
        return {
          detail: `default_transaction_read_only is on for role ${user} in database ${database}, so neither Sluice nor the sink could write`,
          remedy: `ALTER ROLE ${plainIdent(user)} IN DATABASE ${plainIdent(database)} SET default_transaction_read_only = off`,
        };
      return right['can'] === 't'
        ? may
        : {
            detail: `role ${user} ${mayNot}`,
            remedy: `GRANT CREATE ON DATABASE ${plainIdent(database)} TO ${plainIdent(user)}`,
          };
    });

/** Returns the finding for a database that cannot be reached. `at` names its login and address. */
export function notReached(place: Place, at: string, error: unknown): Check {
  const { code, message, remedy } = classify(error);
  const which = place === 'target' ? ' of spec.target.postgres' : '';
  return failed(
    `${place}.reachable`,
    '',
    `cannot connect to ${at}: ${message}`,
    code === 'unreachable' || code === 'unexpected'
      ? `check host, port, database and credentials${which}`
      : remedy,
  );
}

/** Checks the server's version, that it is a primary, and the encoding of the database. */
export function serverQuestions(one: Ask, place: Place): (() => Promise<Check>)[] {
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
    () =>
      attempt(`${place}.encoding`, async () => {
        const encoding = (await one('SHOW server_encoding'))['server_encoding'];
        return encoding === 'SQL_ASCII'
          ? {
              detail:
                'the encoding of the database is SQL_ASCII, so a text may have bytes that are not UTF-8. The connector and a window replace such bytes, and different texts then look equal',
              remedy: 'move the data into a database with the encoding UTF8 or LATIN1',
            }
          : `the encoding of the database is ${encoding}`;
      }),
  ];
}
