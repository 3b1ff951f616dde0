// The ledger's tables. After the first release, they may only gain columns and tables, because a
// newer worker may run beside an older one.
import { LEASE_COLUMNS } from '../postgres/lease-row.js';

export const LEDGER_SCHEMA = `
CREATE SCHEMA IF NOT EXISTS sluice;

CREATE TABLE IF NOT EXISTS sluice.migration (
  name text NOT NULL,
  iteration int NOT NULL,
  generation int NOT NULL,          -- counts on over iterations: names of slots and topics are never used twice
  workflow_id text NOT NULL,
  run_key text NOT NULL UNIQUE,     -- first run id of the workflow
  spec jsonb NOT NULL,
  plan_hash text NOT NULL,
  status jsonb,
  outcome text,
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  namespace text,                   -- of its workflow: the name that a person knows
  namespace_id text,                -- and the id, which no other cluster gives
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

CREATE TABLE IF NOT EXISTS sluice.window_row (
  name text NOT NULL,
  iteration int NOT NULL,
  number int NOT NULL,
  subject text NOT NULL,
  row jsonb NOT NULL,
  seq int NOT NULL DEFAULT 0,       -- order of the subjects: tables, stages, result, sink
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

-- What each window proved. chain = sha256 of the previous window's chain and this digest: a document that was changed later breaks every link after it.
CREATE TABLE IF NOT EXISTS sluice.evidence (
  name text NOT NULL,
  iteration int NOT NULL,
  number int NOT NULL,
  digest text NOT NULL,
  chain text NOT NULL,
  document jsonb NOT NULL,
  recorded_by text NOT NULL,        -- run and activity that recorded the window
  result jsonb NOT NULL,            -- the answer to the run: a repeated attempt gets the same one
  PRIMARY KEY (name, iteration, number)
);

-- What evidence rests on, by digest: a run remembers the digest alone.
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
  fields jsonb NOT NULL,            -- what this kind of entry says: src/domain/audit.ts
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

-- What a copy of the tables has written: the rows of one range of blocks.
CREATE TABLE IF NOT EXISTS sluice.copied (
  run_key text NOT NULL,
  generation int NOT NULL,
  table_name text NOT NULL,
  chunk int NOT NULL,
  rows bigint NOT NULL,
  storage text NOT NULL,            -- files in which the table's rows lay: ranges of other files are other rows
  PRIMARY KEY (run_key, generation, table_name, chunk)
);

-- Pauses of a source connector for a still point, recorded before they begin.
CREATE TABLE IF NOT EXISTS sluice.still_point (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_key text NOT NULL,
  generation int NOT NULL,
  connector text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  deadline timestamptz NOT NULL,    -- afterwards anyone of ours may resume the connector
  closed_at timestamptz,            -- the connector was seen running again
  closed_by text
);
CREATE INDEX IF NOT EXISTS still_point_of_run ON sluice.still_point (run_key, generation, connector);

-- The lease row of migrations without a batch; with one it lives beside the result it guards.
CREATE TABLE IF NOT EXISTS sluice.lease (${LEASE_COLUMNS}
);
`;
