// Tests a migration that adopts a capture made without Sluice, with a role that may only read. The
// capture must be the same after the outcome `migrated` and after a rollback, and must still work.
// The spec and most of the commands are those of docs/how-to/adopt-what-runs.md.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { connectAccess } from '../support/access.js';
import { askConnect } from '../support/ask-connect.js';
import { sleepUntil } from '../support/builders.js';
import { captureByHand, stateOf } from '../support/captured-by-hand.js';
import { accounts, live } from '../support/live.js';
import { blocksOf, commandsOf } from '../support/pages.js';
import {
  get,
  reach,
  sluice,
  specFile,
  testPostgres,
  waitFor,
  type Ran,
} from '../support/sluice.js';

const { aDatabase } = live();
const own = `by-hand-${process.pid}`;
const sql = own.replaceAll('-', '_');
const role = `adopts_${process.pid}`;
const [first, second] = [`adopt-a-${process.pid}`, `adopt-b-${process.pid}`];
let database: Awaited<ReturnType<typeof aDatabase>>;
let before: object;

const PAGE = 'docs/how-to/adopt-what-runs.md';
const SHOWN = commandsOf(PAGE);
/** Maps the names on the page to the names that this test uses. */
const NAMES: Readonly<Record<string, string>> = {
  'shop.public.accounts': `${own}.public.accounts`,
  shop_pub: sql,
  shop_cdc: sql,
  'shop-cdc': own,
};

/** Returns the page's spec with the addresses and names of this test. */
function specOfPage(): { source: object; connector: object; adopt: boolean; existing: object } {
  let [text = ''] = blocksOf(PAGE, 'yaml');
  for (const [shown, here] of Object.entries(NAMES)) {
    expect(text).toContain(shown);
    text = text.replace(shown, here);
  }
  return (parse(text) as { spec: ReturnType<typeof specOfPage> }).spec;
}

const spec = (name: string, more: object = {}): Parameters<typeof specFile> => {
  const { source, connector, adopt, existing } = specOfPage();
  const postgres = { ...testPostgres(database.name), user: role };
  const access = { ...connector, ...connectAccess() };
  const adopting = { source: { ...source, postgres }, connector: access, adopt, existing };
  return [name, database.name, ['public.accounts'], { ...adopting, ...more }];
};
/** Runs a command that the page shows, with the page's spec. */
function fromPage(command: string, name: string, more: object = {}): Ran {
  expect(SHOWN).toContain(`${command} -f migration.yaml`);
  return sluice(command, '-f', specFile(...spec(name, more)));
}
const start = (name: string) => expect(fromPage('start', name)).toMatchObject({ code: 0 });
const approve = (name: string) =>
  expect(sluice('approve', name, '--approver', 'ann', '--reason', 'ok', '--yes').code).toBe(0);
const compareCode = (name: string) => fromPage('compare', name).code;
const audit = (name: string) => {
  expect(SHOWN).toContain('audit shop-stream');
  return sluice('audit', name).stdout;
};
/** Changes rows in a way that the connector does not see. */
const hidden = (change: string) =>
  database.client.query(
    `ALTER PUBLICATION ${sql} DROP TABLE accounts; ${change}; ALTER PUBLICATION ${sql} ADD TABLE accounts`,
  );

beforeAll(async () => {
  database = await aDatabase(accounts(200));
  await database.client.query(
    `CREATE ROLE ${role} LOGIN PASSWORD '${process.env['PGPASSWORD']}' NOSUPERUSER NOREPLICATION; GRANT SELECT ON accounts TO ${role}`,
  );
  await captureByHand(database.client, own, database.name);
  before = await stateOf(database.client, own);
});

afterAll(async () => {
  await askConnect('DELETE', own);
  await sleepUntil('the slot is idle', async () => {
    const { rowCount } = await database.client.query(
      'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND NOT active',
      [sql],
    );
    return rowCount === 1;
  });
  await database.client.query(
    `SELECT pg_drop_replication_slot('${sql}'); DROP OWNED BY ${role}; DROP ROLE ${role}`,
  );
});

it('the plan names the adopted objects, and doctor refuses objects that do not exist', () => {
  const planned = fromPage('plan', first).stdout;
  expect(planned).toMatch(new RegExp(`ADOPTS[^]*slot +${sql}[^]*connector +${own} .*untouched`));
  const doctor = fromPage('doctor', first);
  expect(doctor.code, doctor.stdout).toBe(0);
  expect(doctor.stdout).toMatch(/heartbeat\.interval\.ms is 1000, not 5000/);
  const refused = fromPage('doctor', first, {
    existing: {
      topics: { 'public.accounts': `${own}.none` },
      publication: 'none',
      slot: 'none',
      connector: 'none',
    },
  });
  expect(refused.code).not.toBe(0);
  for (const check of ['adopt.topic', 'adopt.publication', 'adopt.slot', 'adopt.connector'])
    expect(refused.stdout).toMatch(new RegExp(`${check.replace('.', '\\.')}[^\\n]*not exist`));
});

it('an adopting migration blocks a second one, finds a hidden change, and leaves the capture as it was', async () => {
  start(first);
  await waitFor(first, 'approval', '2m');
  start(second);
  await waitFor(second, 'blocked', '2m');
  expect((await get(second)).blocked?.detail).toContain(`belongs to migration ${first}`);

  await hidden('UPDATE accounts SET balance = 7 WHERE id = 77');
  await reach(
    first,
    'a failed window',
    // the publication was changed, which begins a new epoch
    ({ windows, epoch }) => windows.some((w) => w.verdict === 'failed') && epoch > 1,
    120_000,
  );
  await hidden('UPDATE accounts SET balance = 84.70 WHERE id = 77');
  await reach(first, 'proof', (s) => s.needsApproval && s.epoch > 2, 120_000);
  approve(first);
  await waitFor(first, 'outcome=migrated', '2m');
  expect(await get(first)).toMatchObject({ handedOver: [], leftovers: [] });
  expect(audit(first)).toMatch(new RegExp(`left-untouched.*slot ${sql}, connector ${own}`));
  expect(await stateOf(database.client, own)).toEqual(before);
  await database.client.query("INSERT INTO accounts VALUES (1000, 1.10, 'after')");
  expect(compareCode(first)).toBe(0);
});

it('an adopting migration is rolled back without touching the capture, which then still works', async () => {
  expect(sluice('retry', second).code).toBe(0);
  await waitFor(second, 'approval', '2m');
  expect(sluice('rollback', second, '--reason', 'enough', '--yes').code).toBe(0);
  await waitFor(second, 'outcome=rolled-back', '2m');
  expect((await get(second)).leftovers).toEqual([]);
  expect(await stateOf(database.client, own)).toEqual(before);
  await database.client.query("INSERT INTO accounts VALUES (1001, 1.10, 'later')");
  expect(compareCode(second)).toBe(0);
});
