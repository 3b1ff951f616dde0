// `npm run bench -- SCENARIO [--rows N] [--rounds N]`. Results are written down in RESULTS.md by hand, with the machine.
import { parseArgs } from 'node:util';
import { stackHome } from '../stack/paths.js';
import { environment } from '../stack/stack.js';
import { validationBench } from './validation.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
});
if (positionals[0] !== 'validation') {
  console.error('usage: npm run bench -- validation [--rows 1000000] [--rounds 3]    (needs `npm run stack -- up`)');
  process.exit(2);
}
Object.assign(process.env, await environment(stackHome(), () => undefined));
await validationBench(Number(values.rows), Number(values.rounds));
process.exit(0);
