// Recognizes a connection pooler, such as pgbouncer, between Sluice and the database.
import type pg from 'pg';
import { Problem } from '../../domain/failure.js';

/** The address to which the client connected. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Throws Problem `preflight-failed` if a pooler answered instead of the server. A server gives a
 * new session the id of the process that serves it, but a pooler makes up an id. MUST be called
 * before the first SET, because a pooler could pass the session with its settings on to another
 * client.
 */
export async function refusePooler(client: pg.Client, { host, port }: Place): Promise<void> {
  const { processID: given } = client as pg.Client & { readonly processID: number | null };
  const { rows } = await client.query<{ pid: string }>('SELECT pg_backend_pid() AS pid');
  const own = Number(rows[0]!.pid);
  if (given === own) return;
  throw new Problem(
    'preflight-failed',
    `a connection pooler answers at ${host}:${port}, not the Postgres server: the session got process id ${given ?? '(none)'}, but runs in process ${own}. A pooler passes sessions with their settings on to other clients, and most poolers do not pass on replication`,
    `name host and port of the server itself in the spec (with pgbouncer: those of its [databases] section)`,
  );
}
