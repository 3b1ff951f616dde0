// Moves the transaction counter of the stack's Postgres as `pg_resetwal -x -e` does. The stack's
// Postgres lacks that program.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reachableDir, type StackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { ask, startPostgres } from '../../stack/services/postgres.js';
import { crc32c } from '../../src/clients/kafka/crc32c.js';

/**
 * The number of transactions in a status file of pg_xact. The server itself creates a file when it
 * assigns the first transaction id of the file's range. So the counter moves only to such ids.
 */
const FILE = 2n ** 20n;
/**
 * One step of the counter. It is less than 2^31, because Postgres requires that rows older than
 * 2^31 transactions are frozen.
 */
const STEP = 1_900n * FILE;

// The places of fields in ControlFileData, CheckPoint and XLogRecord, and related sizes. They are
// the same from Postgres 14 to 18.
const STATE_AT = 16;
const SHUT_DOWN = 1;
const RECORD_LSN_AT = 32;
const CHECKPOINT_AT = 40;
const TIMELINE_AT = 8;
const NEXT_ID_AT = 24;
const HEADER_BYTES = 24;
const HEADER_CRC_AT = 20;
const DATA_HEADER_BYTES = 2;
const SEGMENT = 2n ** 24n;
const PAGE = 8192;

/**
 * Stops the server, moves the counter, and starts the server again, in as many steps as necessary.
 * The server's next 64-bit transaction id is then `next`, or about 2^20 more at most.
 */
export async function moveCounter(home: StackHome, next: bigint): Promise<void> {
  const target = ((next + FILE - 1n) / FILE) * FILE;
  for (let at = await counter(home); at < target; at = await counter(home)) {
    const far = ((at + STEP) / FILE) * FILE;
    await stop(home, 'postgres', 60_000);
    patch(reachableDir(home, 'pg'), far < target ? far : target);
    await startPostgres(home, () => undefined);
    await freezeAll(home);
  }
}

/** Returns the next transaction id with its epoch. */
export async function counter(home: StackHome): Promise<bigint> {
  const rows = await ask(home, 'postgres', 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text');
  return BigInt(String(rows[0]!['pg_snapshot_xmax']));
}

/**
 * Freezes all rows. Otherwise, after a large move of the counter, Postgres would treat old rows as
 * rows of the future.
 */
async function freezeAll(home: StackHome): Promise<void> {
  await ask(home, 'postgres', 'ALTER DATABASE template0 ALLOW_CONNECTIONS true');
  const databases = await ask(home, 'postgres', 'SELECT datname FROM pg_database');
  for (const { datname } of databases) await ask(home, String(datname), 'VACUUM (FREEZE)');
}

/**
 * Writes the id into the control file and into the checkpoint's record. A starting server reads the
 * id from that record.
 */
function patch(data: string, next: bigint): void {
  const path = join(data, 'global/pg_control');
  const control = readFileSync(path);
  if (control.readUInt32LE(STATE_AT) !== SHUT_DOWN) throw new Error('the server was killed');
  const crcAt = crcPlace(control);
  const timeline = control.readUInt32LE(CHECKPOINT_AT + TIMELINE_AT);
  const isPatched = patchRecord(data, timeline, control.readBigUInt64LE(RECORD_LSN_AT), next);
  if (!isPatched) return;
  control.writeBigUInt64LE(next, CHECKPOINT_AT + NEXT_ID_AT);
  control.writeUInt32LE(crc32c(control, 0, crcAt), crcAt);
  writeFileSync(path, control);
}

/**
 * Returns the place of the checksum, which is the last field of a structure that grows with each
 * version.
 */
function crcPlace(control: Buffer): number {
  for (let at = CHECKPOINT_AT; at < 512; at += 4) {
    if (control.readUInt32LE(at) === crc32c(control, 0, at)) return at;
  }
  throw new Error('pg_control contains no checksum of itself');
}

/**
 * Patches the record. Returns false if the record extends over the end of a page. The next shutdown
 * then writes the record at a different place.
 */
function patchRecord(data: string, timeline: number, lsn: bigint, next: bigint): boolean {
  const hex = (n: bigint): string => n.toString(16).toUpperCase().padStart(8, '0');
  const segment = lsn / SEGMENT;
  const name = `${hex(BigInt(timeline))}${hex(segment / 256n)}${hex(segment % 256n)}`;
  const path = join(data, 'pg_wal', name);
  const at = Number(lsn % SEGMENT);
  const wal = readFileSync(path);
  const length = wal.readUInt32LE(at);
  if ((at % PAGE) + length > PAGE) return false;
  const record = wal.subarray(at, at + length);
  if (crcOf(record) !== record.readUInt32LE(HEADER_CRC_AT)) throw new Error('no record there');
  record.writeBigUInt64LE(next, HEADER_BYTES + DATA_HEADER_BYTES + NEXT_ID_AT);
  record.writeUInt32LE(crcOf(record), HEADER_CRC_AT);
  writeFileSync(path, wal);
  return true;
}

const crcOf = (record: Buffer): number => {
  const covered = Buffer.concat([record.subarray(HEADER_BYTES), record.subarray(0, HEADER_CRC_AT)]);
  return crc32c(covered, 0, covered.length);
};
