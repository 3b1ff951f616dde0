// Tests which specs may adopt an existing capture, and what the plan of such a spec says. Also
// tests which connectors and topics a migration can adopt.
import { describe, expect, it } from 'vitest';
import { unfit, differences } from '../../src/connectors/existing-connector.js';
import { debeziumPostgresConfig, includePattern } from '../../src/connectors/debezium-postgres.js';
import { aclsOf } from '../../src/domain/access/acls.js';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { parseSpecText } from '../../src/manifest/parse.js';
import { losesRecords } from '../../src/domain/plan/topic-settings.js';
import { BATCH_PARTS, aPlan, aSpec, aSpecInput } from '../support/builders.js';
import { ADOPTING, EXISTING } from '../support/adopting.js';
import { problemsOf, yaml } from '../support/spec-problems.js';
import { blocksOf } from '../support/pages.js';

const without = (part: keyof typeof EXISTING) => {
  const { [part]: _left, ...rest } = EXISTING;
  return { adopt: true, existing: rest };
};

describe('a migration that adopts an existing capture', () => {
  it('is accepted if it names topics, publication, slot and connector', () => {
    expect(problemsOf(yaml(aSpecInput({ spec: ADOPTING })))).toEqual([]);
  });

  it.each([
    ['nothing is named', { adopt: true }, /adopt needs existing/],
    ['the slot is not named', without('slot'), /add existing\.slot/],
    ['the publication is not named', without('publication'), /add existing\.publication/],
    ['the connector is not named', without('connector'), /add existing\.connector/],
    [
      'a pattern names the topics',
      { adopt: true, existing: { ...EXISTING, topics: 'shop.{schema}.{table}' } },
      /a pattern can match by chance/,
    ],
    [
      'a table has no topic',
      { adopt: true, existing: { ...EXISTING, topics: {} } },
      /adopt needs the topic of public\.accounts/,
    ],
    [
      'a topic is named for a table that is not captured',
      { adopt: true, existing: { ...EXISTING, topics: { ...EXISTING.topics, 'public.x': 'x' } } },
      /is not in source\.tables/,
    ],
    ['there is a batch', { ...ADOPTING, ...BATCH_PARTS }, /compares no results yet/],
    [
      'the connector would be edited',
      { ...ADOPTING, connector: connector({ config: { 'tasks.max': '1' } }) },
      /never changes an adopted connector/,
    ],
    [
      'the tables would be loaded again',
      { ...ADOPTING, connector: connector({ snapshot: 'copy' }) },
      /omit snapshot/,
    ],
    [
      'a topic prefix is given',
      { ...ADOPTING, connector: connector({ topicPrefix: 'x' }) },
      /omit topicPrefix/,
    ],
    [
      'a witness would write markers',
      { ...ADOPTING, validation: { laterWindows: 'witness' } },
      /adopted connector may publish/,
    ],
    [
      'Flink is the engine',
      { ...ADOPTING, validation: { engine: 'flink', gateway: 'http://f' } },
      /engine embedded/,
    ],
    [
      'the topics are in Avro',
      {
        ...ADOPTING,
        kafka: { brokers: ['k:1'], format: 'avro', registry: { url: 'http://registry' } },
      },
      /adopt reads topics in JSON/,
    ],
  ])('is refused if %s', (_what, spec, message) => {
    expect(problemsOf(yaml(aSpecInput({ spec }))).join('\n')).toMatch(message);
  });

  it('has a plan that lists the adopted objects, and creates no object except the lease row', () => {
    const plan = buildPlan(aSpec({ spec: ADOPTING }));
    expect(plan.adopts).toEqual([
      { kind: 'topic', name: 'shop.public.accounts', where: '127.0.0.1:9092' },
      { kind: 'publication', name: 'shop_pub', where: '127.0.0.1:5432/bank' },
      { kind: 'slot', name: 'shop_cdc', where: '127.0.0.1:5432/bank' },
      { kind: 'connector', name: 'shop-cdc', where: 'http://127.0.0.1:8083' },
    ]);
    expect(plan.creates.map(({ kind }) => kind)).toEqual(['lease']);
    expect(plan.connectors).toEqual([]);
    expect(plan.notes.join()).toMatch(/never changes, restarts or removes them/);
  });

  it('needs in Kafka only the rights to describe and read the adopted topics', () => {
    const sasl = {
      mechanism: 'scram-sha-512',
      username: 'u',
      passwordFrom: { env: 'SLUICE_SECRET_K' },
    };
    const spec = { ...ADOPTING, kafka: { brokers: ['k:1'], tls: true, sasl } };
    expect(aclsOf(aPlan({ spec }))).toMatchObject([
      {
        principal: 'worker',
        name: 'shop.public.accounts',
        operations: ['Describe', 'DescribeConfigs', 'Read'],
      },
    ]);
  });
});

function connector(more: object) {
  return { type: 'debezium-postgres', url: 'http://127.0.0.1:8083', ...more };
}

describe('the configuration of an existing connector', () => {
  const plan = aPlan({ spec: ADOPTING });
  const good = {
    ...debeziumPostgresConfig(plan),
    'topic.prefix': 'shop',
    'table.include.list': 'public\\.accounts, public\\.other',
  };

  it('suits if it writes records that windows can compare', () => {
    expect(unfit(plan, good)).toEqual([]);
  });

  it('suits with a list of tables in the form that Sluice writes, which distinguishes upper case', () => {
    const names = ['a,b', 'accounts'].map((table) => ({ schema: 'public', table }));
    const list = names.map(includePattern).join(',');
    expect(unfit(plan, { ...good, 'table.include.list': list })).toEqual([]);
    const other = { ...good, 'table.include.list': list.replace('accounts', 'Accounts') };
    expect(unfit(plan, other).join()).toMatch(/leave out public\.accounts/);
    expect(unfit(plan, { ...good, 'table.include.list': 'Public\\.ACCOUNTS' })).toEqual([]);
  });

  it.each<[key: string, value: string, problem: RegExp]>([
    ['slot.name', 'other', /slot\.name is other, not shop_cdc/],
    ['publication.name', 'other', /publication\.name is other, not shop_pub/],
    ['decimal.handling.mode', 'double', /decimal\.handling\.mode is double, not string/],
    ['transforms', 'unwrap', /transforms is unwrap, not \(none\)/],
    ['column.mask.hash.SHA-256', 'public.accounts.note', /column\.mask/],
    ['topic.prefix', 'bank', /writes public\.accounts to bank\.public\.accounts, not shop/],
    ['table.include.list', 'public\\.acc', /leave out public\.accounts/],
    ['table.include.list', '(', /leave out public\.accounts/],
    ['schema.exclude.list', 'pub.*', /leave out public\.accounts/],
    ['heartbeat.interval.ms', '0', /never confirms a position/],
    ['heartbeat.interval.ms', '300000', /waits at most 30 s .*catchUp\.within 30s/],
    ['heartbeat.action.query', '', /write nothing to the WAL that the connector could read/],
    ['slot.drop.on.stop', 'true', /a restart loses the slot/],
    ['skipped.operations', 'd', /changes are skipped/],
  ])('does not suit if %s is %s', (key, value, problem) => {
    expect(unfit(plan, { ...good, [key]: value }).join()).toMatch(problem);
  });

  it("shows how it differs from Sluice's configuration, but shows no addresses and no secrets", () => {
    const stored = { ...good, 'poll.interval.ms': '500', 'database.password': 'secret' };
    expect(differences(plan, stored)).toEqual(['poll.interval.ms is 500, not 50']);
  });
});

describe('a topic', () => {
  it('can be adopted only if no limit of time or size deletes its records', () => {
    expect(losesRecords({ 'cleanup.policy': 'compact', 'retention.ms': '1000' })).toBeNull();
    expect(losesRecords({ 'cleanup.policy': 'delete', 'retention.ms': '-1' })).toBeNull();
    expect(losesRecords({ 'cleanup.policy': 'delete', 'retention.ms': '1000' })).toMatch(/1000/);
    expect(losesRecords({ 'cleanup.policy': 'compact,delete', 'retention.bytes': '9' })).toMatch(
      /retention\.bytes is 9/,
    );
  });
});

describe('the page about adopting', () => {
  it('shows a spec that a migration accepts', () => {
    const [text] = blocksOf('docs/how-to/adopt-what-runs.md', 'yaml');
    expect(parseSpecText(text!, 'm.yaml', () => '')).toMatchObject({ ok: true });
  });
});
