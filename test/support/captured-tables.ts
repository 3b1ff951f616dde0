// Defines the captured tables whose facts a test reads, and reads these facts as a window does.
import type pg from 'pg';
import {
  qualifyNames,
  readCapturedTable,
  readPublication,
} from '../../src/clients/postgres/captured-catalog.js';
import {
  captureProblem,
  publicationFacts,
  tableFacts,
  type CaptureProblem,
  type CapturedTable,
} from '../../src/domain/capture/captured-set.js';
import type { Facts } from '../../src/domain/evidence/epoch.js';

const PLANNED = ['public.items', 'public."Odd"', 'public.parted'];
/** Creates the tables, with the publication `pub`. */
export const CAPTURED_TABLES = `
CREATE TYPE state AS ENUM ('open', 'on_hold', 'closed'); CREATE DOMAIN euros AS numeric(10,2) CHECK (VALUE >= 0); CREATE TYPE point2 AS (x int, s state);
CREATE TABLE items (id int PRIMARY KEY, state state, states state[], price euros, note text, twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE "Odd" ("select" int PRIMARY KEY, p point2);
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10); CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO items (id, state) VALUES (1, 'open'); INSERT INTO parted VALUES (1, 'a');
CREATE PUBLICATION pub FOR TABLE items, "Odd", parted WITH (publish_via_partition_root = true)`;

/**
 * Returns the facts of the tables and of the publication, and the problem if less is captured than
 * planned.
 */
export async function readFacts(
  client: pg.Client,
): Promise<{ facts: Facts; problem: CaptureProblem | null }> {
  await qualifyNames(client);
  const publication = await readPublication(client, 'pub', PLANNED);
  const tables: (CapturedTable | null)[] = [];
  for (const table of PLANNED) tables.push(await readCapturedTable(client, table));
  await client.query('RESET search_path');
  const facts = Object.assign(
    {},
    publicationFacts('pub', publication),
    ...PLANNED.map((table, at) => tableFacts(table, tables[at]!)),
  ) as Facts;
  return { facts, problem: captureProblem(PLANNED, tables, publication, 'pub') };
}
