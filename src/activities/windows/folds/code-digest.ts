// Identifies the code that reads records and proves rows. A fold on disk contains only records that
// the code of its worker accepted. After an upgrade, the new code may refuse a record that the old
// code accepted. So a worker with different code reads the topic again.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../../', import.meta.url));
const DECIDING = ['domain', 'compare', 'clients', 'connectors', 'activities'];
const CODE = /(?<!\.d)\.[jt]s$/;

/** Returns a digest of this code. Throws the errors of the file system. */
export function codeDigest(source = SOURCE): string {
  const digest = createHash('sha256').update(process.version);
  for (const folder of DECIDING)
    for (const file of filesIn(join(source, folder)))
      digest.update(`\0${relative(source, file)}\0`).update(readFileSync(file));
  return digest.digest('hex');
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && CODE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
