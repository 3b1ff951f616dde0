#!/usr/bin/env node
// Runs one verb of the command `sluice`, and exits with the verb's exit code.
import { EXIT, endIfOutputEnds, written } from './support/output.js';
import { runCommand } from './program/run-command.js';

process.on('SIGINT', () => process.exit(EXIT.interrupted));
endIfOutputEnds();
const code = await runCommand(process.argv.slice(2));
await written();
process.exit(code);
