// Runs one activity in a separate process. The process kills itself with SIGKILL just before or
// just after the activity's n-th effect, which is a change outside the process. The script gets the
// JSON of a `KillOrder` (see killed-activity.ts), whose `at` is this n. If `at` is 0, the process
// does not kill itself, and prints the number of effects. An effect has a text, such as its SQL
// statement. With `from`, effects count from the first effect whose text contains `from`.
// With `only`, effects count only if their text matches `only`. The activities in `earlier` run
// first, and their effects do not count.
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Kafka } from 'kafkajs';
import pg from 'pg';
import { createActivities } from '../../dist/activities/index.js';
import { Systems } from '../../dist/activities/runtime/deps.js';
import { Ledger } from '../../dist/clients/ledger/ledger.js';
import { resolveSecret } from '../../dist/wiring/config.js';

const { activity, args, at, when, from, only, earlier = [] } = JSON.parse(process.argv[2]);
const EFFECT =
  /^\s*(WITH|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|REVOKE|LOCK|COMMIT|BEGIN\s*$|SELECT pg_(drop|logical)|SELECT 1 FROM \S+ WHERE .* FOR UPDATE)/is;
/**
 * Statements that run only for a witness, which is a temporary slot that shows which rows changed.
 * They create the slot, write a marker, and read the slot.
 */
const OF_WITNESS = /pg_create_logical_replication_slot|'sluice\.witness'|pg_logical_slot_get/;
let effects = 0;
const dieIf = (now) => {
  if (effects === at && when === now) process.kill(process.pid, 'SIGKILL');
};
let areCounted = false;
let isCounting = from === undefined;
const wanted = new RegExp(only ?? '');
const counts = (text) => {
  if (!areCounted) return false;
  isCounting ||= text.includes(from);
  return isCounting && wanted.test(text);
};
const effect = async (act) => {
  effects += 1;
  dieIf('before');
  const result = await act();
  dieIf('after');
  return result;
};

/** The sessions that made the slot of a witness. The slot ends with its session. */
const hasWitness = new WeakSet();
/** Counts a COPY as an effect if it reads a witness's slot. Any other COPY changes nothing. */
function asEffect(copy) {
  let mine = false;
  const submit = copy.submit.bind(copy);
  const ready = copy.handleReadyForQuery.bind(copy);
  copy.submit = (wire) => {
    const send = (sql) => {
      if (OF_WITNESS.test(sql) && counts(sql)) {
        effects += 1;
        mine = effects === at;
        if (mine) dieIf('before');
      }
      wire.query(sql);
    };
    return submit({ query: send, stream: wire.stream });
  };
  copy.handleReadyForQuery = (...given) => {
    if (mine) dieIf('after');
    ready(...given);
  };
  return copy;
}
const query = Reflect.get(pg.Client.prototype, 'query');
pg.Client.prototype.query = function (text, ...rest) {
  if (typeof text === 'string' && text.includes('pg_create_logical')) hasWitness.add(this);
  if (typeof text.handleCopyData === 'function' && !(text instanceof pg.Query))
    return query.call(this, asEffect(text), ...rest);
  const isEffect = typeof text === 'string' && (EFFECT.test(text) || OF_WITNESS.test(text));
  if (!isEffect || !counts(text)) return query.call(this, text, ...rest);
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
const end = Reflect.get(pg.Client.prototype, 'end');
pg.Client.prototype.end = function (...rest) {
  return hasWitness.has(this) && counts('end of the witness')
    ? effect(() => end.apply(this, rest))
    : end.apply(this, rest);
};
const { fetch } = globalThis;
globalThis.fetch = (url, options) =>
  (options?.method ?? 'GET') === 'GET' || !counts(url instanceof Request ? url.url : String(url))
    ? fetch(url, options)
    : effect(() => fetch(url, options));
const { request } = https;
/** A request to a server with a private CA bypasses `fetch`. Its effect ends after the answer. */
https.request = (url, options, done) => {
  if ((options.method ?? 'GET') === 'GET' || !counts(String(url)))
    return request(url, options, done);
  effects += 1;
  const mine = effects === at;
  if (mine) dieIf('before');
  return request(url, options, (response) => {
    if (mine && when === 'after') response.once('end', () => process.kill(process.pid, 'SIGKILL'));
    done(response);
  });
};
syncBuiltinESMExports();
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
for (const [name, input] of earlier)
  await new MockActivityEnvironment().run(activities[name], ...input);
areCounted = true;
await new MockActivityEnvironment().run(activities[activity], ...args);
await Promise.all([systems.close(), ledger.close()]);
console.log(effects);
process.exit(0);
