// `npm run bench` runs the benchmarks. It first builds `dist` if `dist` is older than the sources,
// because some benchmarks start workers from it.
import { join } from 'node:path';
import { ROOT, must, runTypeScript } from './installed.mjs';
must(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale']);
runTypeScript('bench/main.ts', process.argv.slice(2));
