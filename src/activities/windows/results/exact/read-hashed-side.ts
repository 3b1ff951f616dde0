// Reads one side of a result and passes its row hashes to the caller, which keeps them in memory or
// on disk. A side that was read also has a function that reads the rows of suspects again. A
// suspect is a key whose hashes do not prove its rows equal.
import type { OutputHashes } from '../../../../compare/output-hashes.js';
import { parseTableName, qualified } from '../../../../domain/migration/names.js';
import type { SourceClient } from '../../../../clients/postgres/connection.js';
import type { ConnectedSession } from '../../session.js';
import { refusedOutput } from '../../tables/refused-records.js';
import type { ComparedQuery } from '../compared-queries.js';
import { copySink, type TakeSinkRow } from '../copied-rows.js';
import { readSinkSuspects, readSuspects } from './reread-suspects.js';
import { countRows, readHashes } from '../read-sides.js';
import type { HashedSide } from './examine-side-suspects.js';
import type { StillPoint } from './still-point.js';

/** Reads the topic of the query into `fold`, up to the still point. */
export async function readTopicSide(
  session: ConnectedSession,
  comparedQuery: ComparedQuery,
  point: StillPoint,
  fold: OutputHashes,
): Promise<HashedSide> {
  const { kafka, heartbeat } = session;
  const { topic, format, shape } = comparedQuery;
  await readHashes(session, comparedQuery, fold, point.outputs.get(topic));
  return {
    readAgain: (suspects) => readSuspects({ kafka, topic, format, heartbeat }, fold, suspects),
    counted: null,
    refused: async () => ({
      unreadable: fold.unreadable,
      differences: await refusedOutput({ kafka, topic, format }, shape, fold),
    }),
  };
}

/** The sink's table, and the connection whose snapshot is used to read the table. */
export interface SinkTable {
  readonly client: SourceClient;
  readonly from: string;
}

/** Returns the sink's table, or null if the query or the still point has no sink. */
export const sinkTableOf = (
  { sink }: ComparedQuery,
  { sink: client }: StillPoint,
): SinkTable | null =>
  sink && client ? { client, from: qualified(parseTableName(sink.table)) } : null;

/** Passes the rows of the sink's table to `take`. */
export async function readSinkSide(
  { heartbeat }: ConnectedSession,
  { shape }: ComparedQuery,
  { client, from }: SinkTable,
  take: TakeSinkRow,
): Promise<HashedSide> {
  const readRows = await copySink(client, from, shape, heartbeat, take);
  return {
    readAgain: (suspects) => readSinkSuspects(client, from, shape, suspects, heartbeat),
    counted: { countedRows: await countRows(client, from), readRows },
    refused: () => Promise.resolve(null),
  };
}
