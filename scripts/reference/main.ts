// Writes every generated file. A unit test compares the files with what is generated.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATED } from './generated.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

for (const [file, text] of Object.entries(GENERATED)) {
  writeFileSync(join(ROOT, file), text());
  console.log(file);
}
