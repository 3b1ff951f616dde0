// `npm run check` checks types, lint, format, the import rules and the compose file. The tools run
// at the same time, and each prints its findings when it ends.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, ensureInstalled } from './installed.mjs';

const FOLDERS = ['src', 'stack', 'examples', 'test', 'bench'];
const FORMATTED = [...FOLDERS.map((folder) => `${folder}/**/*.ts`), 'scripts/**/*.{mjs,ts}'];
const bin = (name) => join(ROOT, 'node_modules/.bin', name);

/** Resolves to true if the tool found nothing. */
function isClean(command, ...args) {
  const tool = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [tool.stdout, tool.stderr])
    stream.on('data', (chunk) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    tool.once('error', reject);
    tool.once('close', (status) => {
      if (status !== 0) console.error(said);
      resolve(status === 0);
    });
  });
}

ensureInstalled();
const results = await Promise.all([
  isClean(bin('oxfmt'), '--list-different', ...FORMATTED),
  isClean(bin('oxlint'), '--type-aware', '--type-check', '--quiet', ...FOLDERS, 'scripts'),
  isClean(bin('depcruise'), 'src', '--config', '.dependency-cruiser.cjs'),
  isClean(bin('dclint'), 'docker-compose.yml', '-q'),
]);
process.exit(results.every(Boolean) ? 0 : 1);
