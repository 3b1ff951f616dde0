import { runTypeScript } from './installed.mjs';
runTypeScript('stack/main.ts', process.argv.slice(2));
