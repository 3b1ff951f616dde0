#!/usr/bin/env node
// Runs one verb and exits with its code.
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import {
  EXIT,
  FORMATS,
  fail,
  write,
  type Format,
  endQuietlyWithReader,
  written,
} from './support/output.js';
import { buildProgram } from './program/program.js';
import { ran } from './program/verb.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

async function main(): Promise<number> {
  const wanted = process.argv.findIndex((arg) => arg === '-o' || arg === '--output');
  if (wanted > 0 && (FORMATS as readonly string[]).includes(process.argv[wanted + 1] ?? ''))
    ran.format = process.argv[wanted + 1] as Format;
  try {
    await buildProgram(version).parseAsync();
    return ran.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error, ran.format);
    if (error.exitCode === 0) return EXIT.ok;
    if (ran.format === 'json')
      write(
        JSON.stringify(
          { error: { code: 'usage', message: error.message, next: ['sluice --help'] } },
          null,
          2,
        ),
      );
    return EXIT.usage;
  }
}

process.on('SIGINT', () => process.exit(EXIT.interrupted));
endQuietlyWithReader();
const code = await main();
await written();
process.exit(code);
