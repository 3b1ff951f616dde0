// A table against its topic by row hashes: fast, in little memory. Whatever the hashes do not prove equal is drilled down to both raw rows.
import { copyRows } from '../../clients/copy.js';
import type { SourceClient } from '../../clients/source.js';
import type { KafkaPort } from '../../clients/kafka.js';
import { encoderOf } from '../../compare/enc/column.js';
import { HashComparison, runHashCanary } from '../../compare/hash-comparison.js';
import type { Shape } from '../../compare/comparison.js';
import type { HashFold } from '../../compare/hash-fold.js';
import { Problem } from '../../domain/failure.js';
import { quoteIdent } from '../../domain/names.js';
import type { SnapshotVisibility } from '../../domain/position.js';
import type { Counts, Difference } from '../../domain/window.js';
import { drillDown } from './drill-down.js';
import type { TopicEnds } from './folds.js';

export const CANARY_ROWS = 9;

export interface TablePass {
  readonly counts: Counts;
  readonly differences: readonly Difference[];
  readonly rowsRead: number;
  readonly foldMs?: number;
  readonly canary: { planted: number; found: number };
  /** Digest of the stream side at the offsets read. */
  readonly digest?: string;
  /** What was not read anew, and why that is enough; absent when everything was. */
  readonly note?: string;
}

export interface PassInput {
  readonly kafka: KafkaPort;
  readonly topic: string;
  readonly ends: TopicEnds;
  readonly shape: Shape;
  readonly snapshot: SnapshotVisibility;
  readonly reader: SourceClient;
  /** The table, quoted. */
  readonly from: string;
  readonly isPartitioned: boolean;
  readonly rowsPerSecond: number;
  readonly heartbeat: () => void;
}

/** Throws what the systems throw. The fold MUST have read the topic to its stable end for this snapshot. */
export async function passByHash(input: PassInput, fold: HashFold): Promise<TablePass> {
  const { shape } = input;
  const comparison = new HashComparison(fold.table, fold.encoder);
  const sample: Uint8Array[] = [];
  const rowsPerSecond = input.rowsPerSecond;
  await copyRows(input.reader, selectOf(shape, input.from), { rowsPerSecond }, (bytes, at) => {
    const end = comparison.add(bytes, at);
    if (sample.length < CANARY_ROWS) sample.push(Uint8Array.from(bytes.subarray(at, end)));
    return end;
  });
  const { extraneous, keys } = comparison.finish();
  const { missing, mismatched, unknown } = comparison.suspects;
  const canary = runHashCanary(shape, sample);
  if (comparison.duplicates > 0) throw new Problem('unsupported', `${comparison.duplicates} rows of ${input.from} repeat a key (${shape.key.join(', ')})`);
  const base = { rowsRead: comparison.rowsRead, canary };
  const byHash: Counts = { matched: comparison.matched, missing, extraneous, mismatched, unstable: 0, unknown: unknown + fold.unreadable };
  if (comparison.suspected + extraneous === 0) return { ...base, counts: byHash, differences: [] };
  const { counts, differences } = await drillDown({ ...input, candidates: comparison.candidates, extraneous: keys }, fold);
  // With more candidates than are looked at, the counts stay those of the hashes, and the looked-at ones are the sample.
  const isWhole = comparison.candidates.length === comparison.suspected && keys.length === extraneous;
  if (!isWhole) return { ...base, counts: byHash, differences };
  return { ...base, counts: { ...counts, matched: comparison.matched + counts.matched, unknown: counts.unknown + fold.unreadable }, differences };
}

/** ctid first: it finds a row again within the snapshot. */
export function selectOf(shape: Shape, from: string, place = 'ctid'): string {
  const columns = shape.columns.map((column) => `${quoteIdent(column.name)}${encoderOf(column.type).asText ? '::text' : ''}`);
  return `SELECT ${place}, ${columns.join(', ')} FROM ${from}`;
}
