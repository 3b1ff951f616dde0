// Runs one contestant of contestants.ts in a separate process, to measure its time, processor
// seconds and memory. It prints these figures, and what the contestant found, as one line of JSON.
import { CONTESTANTS, openKafka } from './contestants.js';
import { connect } from './data.js';

const client = await connect();
const kafka = openKafka();
const before = process.cpuUsage();
const started = performance.now();
const found = await CONTESTANTS[process.argv[2]!]!(client, kafka);
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    found,
    seconds,
    cpu: (user + system) / 1e6,
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
process.exit(0);
