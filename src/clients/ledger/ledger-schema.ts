// Defines the ledger's tables. After the first release, changes must only add columns and tables,
// because a newer worker may run alongside an older one.
import { LEASE_COLUMNS } from '../postgres/lease-row.js';

export const LEDGER_SCHEMA = `
CREATE SCHEMA IF NOT EXISTS sluice;

CREATE TABLE IF NOT EXISTS sluice.migration (
  name text NOT NULL,
  iteration int NOT NULL,
  generation int NOT NULL,          -- only increases, so names of slots and topics are never reused
  workflow_id text NOT NULL,
  run_key text NOT NULL UNIQUE,     -- Temporal's id of the first run of the workflow
  spec jsonb NOT NULL,
  plan_hash text NOT NULL,
  status jsonb,
  outcome text,
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  namespace text,                   -- the workflow's namespace, by the name that people know
  namespace_id text,                -- its id, which is unique among all clusters
  status_at timestamptz,            -- when the run asked to store this status; an older one comes too late
  PRIMARY KEY (name, iteration)
);

CREATE TABLE IF NOT EXISTS sluice.object (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  kind text NOT NULL,
  object_name text NOT NULL,
  location text NOT NULL,
  iteration int NOT NULL,
  generation int NOT NULL,
  state text NOT NULL CHECK (state IN ('registered', 'created', 'removed', 'handed-over')),
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, kind, object_name, location)
);

-- Objects that existed before and that a migration adopted. They are never in sluice.object.
CREATE TABLE IF NOT EXISTS sluice.adopted (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  kind text NOT NULL,
  object_name text NOT NULL,
  location text NOT NULL,
  identity text NOT NULL,           -- as it was when the migration adopted it
  iteration int NOT NULL,
  generation int NOT NULL,
  adopted_at timestamptz NOT NULL DEFAULT now(),
  released_at timestamptz,          -- the run ended; the object stayed
  PRIMARY KEY (name, kind, object_name, location)
);
CREATE UNIQUE INDEX IF NOT EXISTS adopted_once ON sluice.adopted (kind, object_name, location) WHERE released_at IS NULL;

CREATE TABLE IF NOT EXISTS sluice.window_row (
  name text NOT NULL,
  iteration int NOT NULL,
  number int NOT NULL,
  subject text NOT NULL,
  row jsonb NOT NULL,
  seq int NOT NULL DEFAULT 0,       -- order of the subjects: tables, stages, result, sink, stored result of the batch
  PRIMARY KEY (name, iteration, number, subject)
);

CREATE TABLE IF NOT EXISTS sluice.difference (
  name text NOT NULL,
  iteration int NOT NULL,
  number int NOT NULL,
  subject text NOT NULL,
  seq int NOT NULL,
  difference jsonb NOT NULL,
  PRIMARY KEY (name, iteration, number, subject, seq)
);

-- The evidence of each window. chain is the sha256 of the previous window's chain and this digest,
-- so a document that was changed later breaks every link after it.
CREATE TABLE IF NOT EXISTS sluice.evidence (
  name text NOT NULL,
  iteration int NOT NULL,
  number int NOT NULL,
  digest text NOT NULL,
  chain text NOT NULL,
  document jsonb NOT NULL,
  recorded_by text NOT NULL,        -- run and activity that recorded the window
  result jsonb NOT NULL,            -- the answer to the run, so that a repeated attempt returns the same
  PRIMARY KEY (name, iteration, number)
);

-- The facts that evidence depends on, by digest. A run remembers only the digest.
CREATE TABLE IF NOT EXISTS sluice.facts (
  name text NOT NULL,
  iteration int NOT NULL,
  digest text NOT NULL,
  facts jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, iteration, digest)
);

CREATE TABLE IF NOT EXISTS sluice.sample (
  name text NOT NULL,
  iteration int NOT NULL,
  number int NOT NULL,
  sample jsonb NOT NULL,
  PRIMARY KEY (name, iteration, number)
);

CREATE TABLE IF NOT EXISTS sluice.event (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  iteration int NOT NULL,
  event_id text NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  fields jsonb NOT NULL,            -- the fields of this kind, see src/domain/audit.ts
  PRIMARY KEY (name, iteration, event_id)
);

CREATE TABLE IF NOT EXISTS sluice.proof (
  id text PRIMARY KEY,
  name text NOT NULL,
  number int NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  differences jsonb,
  result jsonb,
  UNIQUE (name, number)
);

-- Notices for the webhook: once for each occasion.
CREATE TABLE IF NOT EXISTS sluice.notice (
  name text NOT NULL,
  iteration int NOT NULL,
  key text NOT NULL,                -- identifies the occasion, such as a block with its start time
  notice jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  attempts int NOT NULL DEFAULT 0,
  tried_at timestamptz,
  sent_at timestamptz,
  problem text,                     -- why the latest attempt failed
  PRIMARY KEY (name, iteration, key)
);

-- The ranges of blocks that a copy of the tables has written.
CREATE TABLE IF NOT EXISTS sluice.copied (
  run_key text NOT NULL,
  generation int NOT NULL,
  table_name text NOT NULL,
  chunk int NOT NULL,
  rows bigint NOT NULL,
  storage text NOT NULL,            -- identifies the table's files; a rewrite moves rows to other ranges
  PRIMARY KEY (run_key, generation, table_name, chunk)
);

-- Pauses of a source connector for a still point, recorded before they begin.
CREATE TABLE IF NOT EXISTS sluice.still_point (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_key text NOT NULL,
  generation int NOT NULL,
  connector text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  deadline timestamptz NOT NULL,    -- afterwards every worker may resume the connector
  closed_at timestamptz,            -- when the connector was seen running again
  closed_by text
);
CREATE INDEX IF NOT EXISTS still_point_of_run ON sluice.still_point (run_key, generation, connector);

-- The lease rows of migrations without a batch. With a batch, the row is in the target database.
CREATE TABLE IF NOT EXISTS sluice.lease (${LEASE_COLUMNS}
);
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'sluice.migration'::regclass AND attname = 'status_at') THEN
    ALTER TABLE sluice.migration ADD COLUMN status_at timestamptz;
  END IF;
END $$;
ALTER TABLE sluice.lease ADD COLUMN IF NOT EXISTS server text, ADD COLUMN IF NOT EXISTS source_server text;
`;
