import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, ensureInstalled, must } from './installed.mjs';

ensureInstalled();
must(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale']);
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', join(ROOT, 'examples/daily-revenue/demo.ts'), ...process.argv.slice(2)],
  {
    cwd: ROOT,
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
