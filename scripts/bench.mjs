// `npm run bench` builds what is stale, because some benchmarks start workers of `dist`.
import { join } from 'node:path';
import { ROOT, must, runTypeScript } from './installed.mjs';
must(process.execPath, [join(ROOT, 'scripts/build.mjs'), '--if-stale']);
runTypeScript('bench/main.ts', process.argv.slice(2));
