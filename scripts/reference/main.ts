// Writes every file that generated.ts lists. A unit test compares the committed files with newly
// made text.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATED } from './generated.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

for (const [file, text] of Object.entries(GENERATED)) {
  writeFileSync(join(ROOT, file), text());
  console.log(file);
}
