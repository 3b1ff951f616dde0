// Runs one activity in a separate process, which kills itself with SIGKILL just before or just
// after its n-th effect on the outside world. argv is {activity, args, at, when}. If `at` is 0, it
// does not kill itself, and prints the number of effects.
// With `from`, effects count from the first one whose text contains it.
import { MockActivityEnvironment } from '@temporalio/testing';
import { Kafka } from 'kafkajs';
import pg from 'pg';
import { createActivities } from '../../dist/activities/index.js';
import { Systems } from '../../dist/activities/runtime/deps.js';
import { Ledger } from '../../dist/clients/ledger/ledger.js';
import { resolveSecret } from '../../dist/config.js';

const { activity, args, at, when, from } = JSON.parse(process.argv[2]);
const EFFECT =
  /^\s*(WITH|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|REVOKE|LOCK|COMMIT|BEGIN\s*$|SELECT pg_(drop|logical)|SELECT 1 FROM \S+ WHERE .* FOR UPDATE)/is;
let effects = 0;
const dieIf = (now) => {
  if (effects === at && when === now) process.kill(process.pid, 'SIGKILL');
};
let isCounting = from === undefined;
const counts = (text) => (isCounting ||= text.includes(from));
const effect = async (act) => {
  effects += 1;
  dieIf('before');
  const result = await act();
  dieIf('after');
  return result;
};

const query = Reflect.get(pg.Client.prototype, 'query');
pg.Client.prototype.query = function (text, ...rest) {
  if (typeof text !== 'string' || !EFFECT.test(text) || !counts(text))
    return query.call(this, text, ...rest);
  const done = rest.at(-1);
  if (typeof done !== 'function') return effect(() => query.call(this, text, ...rest));
  effects += 1;
  const mine = effects === at;
  if (mine) dieIf('before');
  return query.call(this, text, ...rest.slice(0, -1), (error, result) => {
    if (mine && when === 'after') process.kill(process.pid, 'SIGKILL');
    done(error, result);
  });
};
const { fetch } = globalThis;
globalThis.fetch = (url, options) =>
  (options?.method ?? 'GET') === 'GET' || !counts(url instanceof Request ? url.url : String(url))
    ? fetch(url, options)
    : effect(() => fetch(url, options));
const admin = Reflect.get(Kafka.prototype, 'admin');
Kafka.prototype.admin = function (...given) {
  const made = admin.apply(this, given);
  for (const name of ['createTopics', 'deleteTopics', 'deleteGroups']) {
    const act = made[name];
    made[name] = (...input) => (counts(name) ? effect(() => act(...input)) : act(...input));
  }
  return made;
};

const ledger = new Ledger(process.env.SLUICE_LEDGER_URL);
const systems = new Systems(resolveSecret);
const activities = createActivities({
  secret: resolveSecret,
  ledger,
  systems,
  approvers: new Map(),
});
await new MockActivityEnvironment().run(activities[activity], ...args);
await Promise.all([systems.close(), ledger.close()]);
console.log(effects);
process.exit(0);
