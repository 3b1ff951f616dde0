// Runs one activity of the cut-over. Inside the activity's transaction, it suspends its own process
// (SIGSTOP) after the first statement that matches PATTERN. Usage: node --import tsx
// standing-worker.ts fence|commitCutover INPUT PATTERN stop|go. The activity begins when the
// process reads a line, because loading the code may take longer than the hold. After the statement
// that matches, the process prints `there`. With `go`, the process is not suspended, but waits for
// 1.5 s and continues.
import pg from 'pg';
import { createCutoverActivities } from '../../src/activities/cutover/cutover-activities.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import { createFenceActivities, type FenceInput } from '../../src/activities/cutover/fence.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { resolveSecret } from '../../src/wiring/config.js';

const [action, input, pattern, how] = process.argv.slice(2) as [
  'fence' | 'commitCutover',
  string,
  string,
  'stop' | 'go',
];
const wanted = new RegExp(pattern);
const original = Reflect.get(pg.Client.prototype, 'query') as (
  this: pg.Client,
  ...of: unknown[]
) => Promise<unknown>;
let isDone = false;

async function query(this: pg.Client, ...of: unknown[]): Promise<unknown> {
  const answer = await original.apply(this, of);
  if (isDone || typeof of[0] !== 'string' || !wanted.test(of[0])) return answer;
  isDone = true;
  process.stdout.write('there\n');
  if (how === 'stop') process.kill(process.pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return answer;
}
pg.Client.prototype.query = query as unknown as typeof pg.Client.prototype.query;

const deps = {
  secret: resolveSecret,
  ledger: new Ledger(process.env['SLUICE_LEDGER_URL']!),
  systems: new Systems(resolveSecret),
  approvers: new Map<string, never>(),
};
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
const activities = { ...createFenceActivities(deps), ...createCutoverActivities(deps) };
const answer = await activities[action](JSON.parse(input) as FenceInput).catch(
  (error: unknown) => ({ refused: String(error) }),
);
process.stdout.write(`${JSON.stringify(answer)}\n`);
process.exit(0);
