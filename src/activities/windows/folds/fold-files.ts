// Saves folds on disk, so that a restarted worker need not read a topic from its beginning. A fold
// is the latest record of each key of a topic, kept as a key and a hash. A file that has changed
// since it was written is never used; the worker then reads the topic again. Each fold has one
// file. The file begins with a SHA-256 of everything that follows. Then come the header's length,
// the header (JSON), and the entries of the key table.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { FoldState, HashFold } from '../../../compare/hash-fold.js';
import { codeDigest } from './code-digest.js';
import { Problem } from '../../../domain/failure.js';

const FORMAT = 'sluice-fold-5 enc-v1';
const DIGEST_BYTES = 32;

interface Header {
  readonly format: string;
  /** Identifies the code that read the topic into the fold. */
  readonly code: string;
  /** Identifies the fold by run, generation, topic and shape. */
  readonly identity: string;
  readonly state: FoldState;
}

export class FoldFiles {
  readonly #dir: string | undefined;
  readonly #digestOfCode: () => string;
  #code: string | undefined;

  /** If `dir` is undefined, no fold is saved. */
  constructor(dir: string | undefined, digestOfCode = codeDigest) {
    this.#dir = dir;
    this.#digestOfCode = digestOfCode;
  }

  /**
   * Replaces the saved state of this fold atomically. If the folder is not private or cannot be
   * written, or if the disk is full, the window continues without the file.
   */
  async save(run: string, identity: string, fold: HashFold): Promise<void> {
    if (this.#dir === undefined) return;
    const state = fold.state();
    const header = Buffer.from(
      JSON.stringify({ format: FORMAT, code: this.#codeNow(), identity, state } satisfies Header),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const entries = fold.table.entries();
    const body = Buffer.concat([
      length,
      header,
      Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength),
    ]);
    const path = this.#path(run, identity);
    const draft = `${path}.${process.pid}`;
    try {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      if (!(await isPrivate(this.#dir))) return;
      await writeFile(draft, Buffer.concat([digestOf(body), body]), { mode: 0o600 });
      await rename(draft, path);
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  /**
   * Restores a new fold from its file. Returns false, and does not change the fold, if no file can
   * be trusted, or if different code wrote the file.
   */
  async restore(run: string, identity: string, fold: HashFold): Promise<boolean> {
    if (this.#dir === undefined || !(await isPrivate(this.#dir))) return false;
    const file = await readFile(this.#path(run, identity)).catch(() => null);
    const saved = file && opened(file);
    if (!saved) return false;
    const { header, entries } = saved;
    const isMine = header.format === FORMAT && header.code === this.#codeNow();
    if (!isMine || header.identity !== identity) return false;
    fold.takeBack(header.state, entries);
    return true;
  }

  /**
   * Creates an empty folder for a pass over a topic that does not fit in memory. Throws Problem
   * `unsupported` if this worker cannot create the folder.
   */
  async spillDir(run: string, topic: string): Promise<string> {
    const dir = this.#dir && join(this.#spills(run), topic);
    try {
      if (this.#dir === undefined || dir === undefined)
        throw new Error('this worker keeps no files');
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      if (!(await isPrivate(this.#dir))) throw new Error(`another user may write to ${this.#dir}`);
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir, { recursive: true, mode: 0o700 });
      return dir;
    } catch (error) {
      const remedy =
        'set SLUICE_STATE_DIR to a folder with free space, or raise SLUICE_WINDOW_MEMORY, or use validation.engine: flink';
      throw new Problem(
        'unsupported',
        `${topic} does not fit in this worker's memory, and cannot be written to disk: ${(error as Error).message}`,
        remedy,
      );
    }
  }

  #codeNow(): string {
    this.#code ??= this.#digestOfCode();
    return this.#code;
  }

  #spills(run: string): string {
    return join(this.#dir ?? '', `spill-${run}`);
  }

  /** Removes all files of these runs. */
  async forget(runs: readonly string[]): Promise<void> {
    if (this.#dir === undefined) return;
    const names = await readdir(this.#dir).catch(() => []);
    if (names.length === 0) return;
    const spills = new Set(runs.map((run) => `spill-${run}`));
    const saved = new Set(runs.map(nameOf));
    for (const name of names)
      if (spills.has(name) || saved.has(name.slice(0, name.indexOf('-'))))
        await rm(join(this.#dir, name), { recursive: true, force: true }).catch(() => undefined);
  }

  #path(run: string, identity: string): string {
    return join(this.#dir!, `${nameOf(run)}-${nameOf(identity)}.fold`);
  }
}

/**
 * Returns true if only this user can write to the folder. Otherwise another user could write a
 * false proof, because the digest of a file does not show who wrote it.
 */
async function isPrivate(dir: string): Promise<boolean> {
  const { uid, mode } = await stat(dir).catch(() => ({ uid: -1, mode: 0 }));
  return uid === userInfo().uid && (mode & 0o022) === 0;
}

const digestOf = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
const nameOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 24);

function opened(file: Buffer): { header: Header; entries: Int32Array } | null {
  const body = file.subarray(DIGEST_BYTES);
  if (body.length < 4 || !digestOf(body).equals(file.subarray(0, DIGEST_BYTES))) return null;
  const end = 4 + body.readUInt32LE(0);
  // copy the entries, because an Int32Array needs an aligned buffer
  const entries = new Uint8Array(body.subarray(end));
  return {
    header: JSON.parse(body.toString('utf8', 4, end)) as Header,
    entries: new Int32Array(entries.buffer),
  };
}
