// `npm run docs` writes the reference pages and the JSON Schema from the code.
import { runTypeScript } from './installed.mjs';
runTypeScript('scripts/reference/main.ts', process.argv.slice(2));
