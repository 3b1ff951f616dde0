// Reads the lease row, which says whether consumers read the batch or the stream. The workflow
// trusts this row instead of its own memory. See docs/explanation/cutover.md.
import type pg from 'pg';
import { quoteIdent } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';

export type LeaseState = 'OPEN' | 'FENCED' | 'SWITCHED' | 'ROLLED_BACK';

export interface LeaseRow {
  readonly state: LeaseState;
  /** The epoch of the evidence, as the latest fence stored it. */
  readonly epoch: number;
  readonly token: string | null;
  /**
   * The number of the latest attempt that fenced or was released. A late call of an earlier attempt
   * can no longer fence.
   */
  readonly attempt: number;
  /** The beginning of the fence. Null unless the lease is FENCED or SWITCHED. */
  readonly fenced_at: string | null;
  readonly expires_at: string | null;
  readonly veto: boolean;
  readonly evidence_digest: string | null;
  readonly switched_at: string | null;
  /** The target's server identity at the fence. Null before a fence, or in a row of the ledger. */
  readonly server: string | null;
  /** The source's server identity at the fence. Null before a fence, or if it is the target. */
  readonly source_server: string | null;
  /** True if the fence has expired by the database's clock, or if the row has no expiry time. */
  readonly expired: boolean;
  /** Milliseconds until the fence expires. 0 if `expired` is true. */
  readonly restMs: number;
}

/**
 * Returns the quoted name of the lease table. The table is in the target if there is a batch,
 * otherwise in the ledger.
 */
export function leaseTable({ batch, names }: ResolvedPlan): string {
  return batch ? `${quoteIdent(names.leaseSchema)}.lease` : 'sluice.lease';
}

/** The columns of the lease table. They are the same in the target and in the ledger. */
export const LEASE_COLUMNS = `
  migration text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('OPEN', 'FENCED', 'SWITCHED', 'ROLLED_BACK')),
  epoch int NOT NULL,
  token text,
  attempt int NOT NULL DEFAULT 0,
  fenced_at timestamptz,
  expires_at timestamptz,
  veto boolean NOT NULL DEFAULT false,
  evidence_digest text,
  switched_at timestamptz,
  server text,
  source_server text`;

export const createLeaseTableSql = (schema: string): string => `
CREATE SCHEMA ${quoteIdent(schema)};
CREATE TABLE ${quoteIdent(schema)}.lease (${LEASE_COLUMNS}
);
COMMENT ON SCHEMA ${quoteIdent(schema)} IS 'Lease of a Sluice migration; removed at its end';`;

/** Reads the lease row, or returns null if there is no lease row. */
export async function readLease(
  client: pg.ClientBase,
  table: string,
  migration: string,
): Promise<LeaseRow | null> {
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT state, epoch::text, token, attempt::text, fenced_at::text, expires_at::text, veto::text, evidence_digest, switched_at::text, server, source_server,
            (expires_at IS NULL OR expires_at <= clock_timestamp())::text AS expired,
            ceil(greatest(0, coalesce(extract(epoch FROM expires_at - clock_timestamp()), 0)) * 1000)::bigint::text AS rest FROM ${table} WHERE migration = $1`,
    [migration],
  );
  const row = rows[0] as Record<string, string | null> | undefined;
  if (!row) return null;
  return {
    state: row['state'] as LeaseState,
    epoch: Number(row['epoch']),
    token: row['token'] ?? null,
    attempt: Number(row['attempt']),
    fenced_at: row['fenced_at'] ?? null,
    expires_at: row['expires_at'] ?? null,
    veto: row['veto'] === 'true',
    evidence_digest: row['evidence_digest'] ?? null,
    switched_at: row['switched_at'] ?? null,
    server: row['server'] ?? null,
    source_server: row['source_server'] ?? null,
    expired: row['expired'] === 'true',
    restMs: Number(row['rest']),
  };
}
