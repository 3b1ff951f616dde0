// `npm run check` checks the types, the rules of the linter, the format, the rules for imports, and
// the Compose files. The tools run at the same time, and each prints its findings when it ends.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, ensureInstalled } from './installed.mjs';

const FOLDERS = ['src', 'stack', 'examples', 'test', 'bench'];
const FORMATTED = [...FOLDERS.map((folder) => `${folder}/**/*.ts`), 'scripts/**/*.{mjs,ts}'];
const bin = (name) => join(ROOT, 'node_modules/.bin', name);

const PLAIN = 'docker-compose.yml';
const OVERRIDES = ['docker-compose.secure.yml', 'docker-compose.jdbc-source.yml'];

/** Returns the command of an installed Compose, or null if the machine has none. */
const compose = () =>
  [['docker', 'compose'], ['docker-compose']].find(
    ([command, ...args]) => spawnSync(command, [...args, 'version']).status === 0,
  ) ?? null;

/** Lets Compose read the files as it would for `up`. Starts nothing, and needs no Docker engine. */
async function composeReads() {
  const command = compose();
  if (command === null) {
    console.error('skipped: no Docker Compose here, so the Compose files were only linted');
    return true;
  }
  const names = [...readFileSync(join(ROOT, OVERRIDES[0]), 'utf8').matchAll(/\$\{(\w+)/g)];
  const env = Object.fromEntries(names.map(([, name]) => [name, '/any']));
  const reads = (...files) =>
    isCleanWith(env, ...command, ...files.flatMap((file) => ['-f', file]), 'config', '-q');
  const read = await Promise.all([reads(PLAIN), ...OVERRIDES.map((file) => reads(PLAIN, file))]);
  return read.every(Boolean);
}

const isClean = (command, ...args) => isCleanWith({}, command, ...args);

/** Resolves to true if the tool found nothing. */
function isCleanWith(env, command, ...args) {
  const tool = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
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
  isClean(bin('dclint'), PLAIN, ...OVERRIDES, '-q'),
  composeReads(),
]);
process.exit(results.every(Boolean) ? 0 : 1);
