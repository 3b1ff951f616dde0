// Runs command lines of the built `sluice` in a thread, one after the other. The caller blocks
// until it has the answer, as it would with a process.
import { workerData } from 'node:worker_threads';

const { runCommand } = await import(workerData.command);
const { port, state } = workerData;
const ANSWERED = 1;
const ENDED = 2;
let said;
const keep = (name) => (chunk, encoding, then) => {
  said[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
  [encoding, then].find((last) => typeof last === 'function')?.();
  return true;
};
process.stdout.write = keep('stdout');
process.stderr.write = keep('stderr');

function answer(code, next) {
  port.postMessage({ code, ...said });
  Atomics.store(state, 0, next);
  Atomics.notify(state, 0);
}

// A command that exits or throws ends the thread, as it would end its process.
process.on('exit', (code) => answer(code, ENDED));
process.on('uncaughtException', (error) => {
  said.stderr += String(error.stack);
  process.exit(1);
});

port.on('message', async ({ args, env }) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const [name, value] of Object.entries(env))
    if (value !== undefined) process.env[name] = value;
  said = { stdout: '', stderr: '' };
  answer(await runCommand(args), ANSWERED);
});
