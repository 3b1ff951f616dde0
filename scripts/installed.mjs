// Makes a fresh clone usable: installs the dependencies if they are missing, or if this script
// installed them for a different lock file. Also runs commands and TypeScript files for the other
// scripts.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

export function ensureInstalled() {
  const stamp = join(ROOT, 'node_modules/.sluice-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  if (
    existsSync(join(ROOT, 'node_modules/tsx')) &&
    (!existsSync(stamp) || readFileSync(stamp, 'utf8') === lock)
  )
    return;
  console.error('installing dependencies (npm ci) …');
  must('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

export function must(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a TypeScript file of the repository through tsx and exits with its status. */
export function runTypeScript(file, args) {
  ensureInstalled();
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, file), ...args], {
    cwd: process.cwd(),
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
