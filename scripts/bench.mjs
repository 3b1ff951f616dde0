import { runTypeScript } from './installed.mjs';
runTypeScript('bench/main.ts', process.argv.slice(2));
