// `npm run check` checks types, lint and format, in seconds.
import { join } from 'node:path';
import { ROOT, ensureInstalled, must } from './installed.mjs';

ensureInstalled();
const bin = (name) => join(ROOT, 'node_modules/.bin', name);
must(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json']);
must(bin('oxlint'), [
  '--type-aware',
  '--quiet',
  'src',
  'stack',
  'examples',
  'test',
  'bench',
  'scripts',
]);
must(bin('prettier'), [
  '--check',
  '--log-level',
  'warn',
  'src/**/*.ts',
  'stack/**/*.ts',
  'examples/**/*.ts',
  'test/**/*.ts',
  'bench/**/*.ts',
  'scripts/*.mjs',
]);
