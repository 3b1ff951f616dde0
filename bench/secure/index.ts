// `npm run bench -- secure [--rows 1000000] [--rounds 5]` starts a secured stack of its own, and
// measures how long this takes and how much memory it needs. Then it compares a table of 12 columns
// with its topic in full windows. To find the least possible time, it also walks the topic: it
// finds each record without decoding it. Windows and walks read over SASL_SSL or in plain text, and
// in Avro or JSON. They always read the same rows from the same brokers. Each round runs them in a
// shuffled order. At the end, the benchmark removes the stack. With BENCH_KEEP=1, it keeps the
// stack and the topics. It then also uses those that an earlier run kept.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stackHome, type StackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { securedOf, securePorts } from '../../stack/secure.js';
import { connectProcess } from '../../stack/services/connect-secure.js';
import { brokerProcess, startSecureKafka } from '../../stack/services/kafka-secure.js';
import { environment, reset, up } from '../../stack/stack.js';
import { loadAverage } from '../cpu.js';
import { residentMb } from '../memory.js';
import { FORMATS, LEGS, plainListener, type Format, type Leg } from './legs.js';

interface Figures {
  readonly found: number | null;
  readonly seconds: number;
  readonly cpu: number;
  readonly rssMb: number;
}

const quiet = (): void => undefined;
const STEPS = ['walk', 'window'] as const;
type Step = (typeof STEPS)[number];

export async function secureBench(rows: number, rounds: number): Promise<void> {
  process.env['SLUICE_STACK_NAME'] ??= 'bench-secure';
  process.env['SLUICE_STACK_PORT_BASE'] ??= '20400';
  const home = stackHome();
  const isKept = process.env['BENCH_KEEP'] === '1';
  const isThere = isKept && securedOf(home) !== null;
  try {
    if (!isThere) await measureStart(home);
    Object.assign(process.env, environment(home));
    if (!isThere) {
      await addPlainListeners(home);
      run('make', String(rows));
    }
    measureWindows(rows, rounds);
  } finally {
    if (!isKept) await reset(home, quiet);
  }
}

async function measureStart(home: StackHome): Promise<void> {
  await reset(home, quiet);
  const started = performance.now();
  await up(home, console.log, ['registry'], { secure: true });
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `secured stack with a registry: up after ${seconds.toFixed(1)} s; load ${loadAverage()}`,
  );
  const memory = [...residentMb(home)];
  const total = memory.reduce((sum, [, mb]) => sum + mb, 0);
  const each = memory.map(([name, mb]) => `${name} ${mb.toFixed(0)}`).join(', ');
  console.log(`  ${total.toFixed(0)} MB of resident memory (${each})`);
}

/**
 * Restarts the brokers with a listener in plain text. Stops Connect and Temporal, because the
 * windows do not need them.
 */
async function addPlainListeners(home: StackHome): Promise<void> {
  const { brokers, connects } = securePorts(home);
  for (const name of [...connects.map((_, at) => connectProcess(at)), 'temporal'])
    await stop(home, name);
  await Promise.all(brokers.map((_, at) => stop(home, brokerProcess(at))));
  await startSecureKafka(home, securedOf(home)!, quiet, (at) => plainListener(home, at));
}

function measureWindows(rows: number, rounds: number): void {
  const runs = new Map<string, Figures[]>();
  const cases = STEPS.flatMap((step) =>
    LEGS.flatMap((leg) => FORMATS.map((format) => ({ step, leg, format }))),
  );
  for (let round = 1; round <= rounds; round += 1) {
    for (const { step, leg, format } of shuffled(cases)) {
      const figures = JSON.parse(run(step, leg, format)) as Figures;
      if (step === 'window' && figures.found !== 0)
        throw new Error(`the window found ${figures.found} differences in equal data`);
      const name = nameOf(step, leg, format);
      runs.set(name, [...(runs.get(name) ?? []), figures]);
    }
    console.log(`round ${round} of ${rounds}: load ${loadAverage()}`);
  }
  for (const { step, leg, format } of cases) print(nameOf(step, leg, format), runs, rows);
  for (const step of STEPS) {
    const ratio = (what: string, upper: string, lower: string): void =>
      printRatio(`${step}: ${what}`, runs.get(upper)!, runs.get(lower)!);
    for (const format of FORMATS)
      ratio(
        `SASL_SSL reaches this share of plain text, ${format}`,
        nameOf(step, 'plain text', format),
        nameOf(step, 'SASL_SSL', format),
      );
    for (const leg of LEGS)
      ratio(
        `Avro reaches this share of JSON, ${leg}`,
        nameOf(step, leg, 'json'),
        nameOf(step, leg, 'avro'),
      );
  }
}

const nameOf = (step: Step, leg: Leg, format: Format): string => `${step}, ${format}, ${leg}`;

function run(...args: readonly string[]): string {
  const step = join(import.meta.dirname, 'step.ts');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', step, ...args],
    { encoding: 'utf8', timeout: 1_800_000 },
  );
  if (status !== 0) throw new Error(`${args.join(', ')}: ${stderr.slice(-2000)}`);
  return stdout;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

function print(name: string, runs: ReadonlyMap<string, readonly Figures[]>, rows: number): void {
  const all = runs.get(name)!;
  const seconds = median(all.map((one) => one.seconds));
  const least = Math.min(...all.map((one) => one.seconds));
  const cpu = median(all.map((one) => one.cpu));
  const rss = Math.max(...all.map((one) => one.rssMb));
  console.log(
    `  ${name.padEnd(28)} ${seconds.toFixed(2)} s (min ${least.toFixed(2)})  ${(rows / seconds / 1e6).toFixed(3)} M rows/s  cpu ${cpu.toFixed(1)} s  ${rss} MB`,
  );
}

/** Prints the ratio of the medians, that of the minima, and the median of the rounds' ratios. */
function printRatio(what: string, upper: readonly Figures[], lower: readonly Figures[]): void {
  const [above, below] = [upper, lower].map((all) => all.map(({ seconds }) => seconds));
  const rounds = above!.map((seconds, round) => seconds / below![round]!);
  const figures = [
    median(above!) / median(below!),
    Math.min(...above!) / Math.min(...below!),
    median(rounds),
  ];
  const [ofMedians, ofMinima, ofRounds] = figures.map((figure) => figure.toFixed(2));
  console.log(
    `  ${what}: ${ofMedians} by medians, ${ofMinima} by minima, ${ofRounds} in the median round`,
  );
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
