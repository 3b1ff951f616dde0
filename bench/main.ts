// `npm run bench -- SCENARIO` runs one of these scenarios. The person who runs it copies the
// results into RESULTS.md, and names the machine there.
// - validation [--rows N] [--rounds N]
// - results [--rows N]
// - cutover [--rounds N] [--trials N]
// - assess [--processes N]
// - prove [--rows N]
// - jdbc-source [--rows N]
// - snapshot [--rows N] [--rounds N]
// - holds [--rounds N]
// - many [--minutes N] [--migrations N]
// - hot-results [--rows N] [--rounds N]
// - scale [--rows N] [--rounds N]
// - secure [--rows N] [--rounds N], which starts a secured stack of its own
// - kernel [--rows N] [--rounds N], which needs no server, and uses at most 200,000 rows
import { parseArgs } from 'node:util';
import { stackHome } from '../stack/paths.js';
import { environment } from '../stack/stack.js';
import { assessBench } from './assess.js';
import { cutoverBench } from './cutover.js';
import { holdsBench } from './holds.js';
import { hotResultsBench } from './hot-results/index.js';
import { jdbcSourceBench } from './jdbc-source.js';
import { kernelBench } from './kernel/index.js';
import { manyBench } from './many/index.js';
import { proveBench } from './prove.js';
import { resultsBench } from './results/index.js';
import { scaleBench } from './scale/index.js';
import { secureBench } from './secure/index.js';
import { snapshotBench } from './snapshot/index.js';
import { validationBench } from './validation/index.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string' },
    trials: { type: 'string', default: '10000' },
    migrations: { type: 'string', default: '300' },
    minutes: { type: 'string', default: '20' },
    processes: { type: 'string', default: '200' },
  },
});
const scenarios: Record<string, () => Promise<void> | void> = {
  validation: () => validationBench(Number(values.rows), Number(values.rounds ?? 3)),
  results: () => resultsBench(Number(values.rows)),
  assess: () => assessBench(Number(values.processes)),
  prove: () => proveBench(Number(values.rows)),
  'jdbc-source': () => jdbcSourceBench(Number(values.rows)),
  snapshot: () => snapshotBench(Number(values.rows), Number(values.rounds ?? 3)),
  holds: () => holdsBench(Number(values.rounds ?? 100)),
  many: () => manyBench(Number(values.minutes), Number(values.migrations)),
  'hot-results': () => hotResultsBench(Number(values.rows), Number(values.rounds ?? 6)),
  scale: () => scaleBench(Number(values.rows), Number(values.rounds ?? 10)),
  secure: () => secureBench(Number(values.rows), Number(values.rounds ?? 5)),
  kernel: () => kernelBench(Math.min(Number(values.rows), 200_000), Number(values.rounds ?? 9)),
  cutover: () => cutoverBench(Number(values.rounds ?? 1000), Number(values.trials)),
};
const scenario = scenarios[positionals[0] ?? ''];
if (!scenario) {
  console.error(
    `usage: npm run bench -- ${Object.keys(scenarios).join('|')}    (all except kernel and secure need \`npm run stack -- up\`)`,
  );
  process.exit(2);
}
if (!['kernel', 'secure'].includes(positionals[0]!))
  Object.assign(process.env, environment(stackHome()));
await scenario();
process.exit(0);
