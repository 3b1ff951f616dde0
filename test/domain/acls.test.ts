// Tests which operations on topics and groups the ACLs of a plan allow to each principal.
import { describe, expect, it } from 'vitest';
import { aclsOf, type Acl } from '../../src/domain/access/acls.js';
import { BATCH_PARTS, aPlan } from '../support/builders.js';

const SASL = { mechanism: 'scram-sha-512', username: 'sluice', passwordFrom: { env: 'X' } };
const KAFKA = { brokers: ['kafka:9093'], sasl: SASL };
const aclsFor = (spec: object = {}): Acl[] =>
  aclsOf(aPlan({ name: 'totals', spec: { kafka: KAFKA, ...spec } }));
const operations = (acls: readonly Acl[], principal: Acl['principal'], name: string) =>
  acls.find((acl) => acl.principal === principal && acl.name === name)?.operations;

describe('the ACLs of a plan', () => {
  it('are an empty list if and only if the brokers do not authenticate their clients', () => {
    expect(aclsFor({ kafka: { brokers: ['kafka:9092'] } })).toEqual([]);
    expect(aclsFor({ kafka: { brokers: ['kafka:9092'], tls: true } })).toEqual([]);
    const tls = { cert: '/c/me.pem', key: '/c/me.pem' };
    expect(aclsFor({ kafka: { brokers: ['kafka:9092'], tls } })).not.toEqual([]);
  });
  it('let the worker write to the topics for the loads `copy` and `incremental`, but not for `initial`', () => {
    const connector = { type: 'debezium-postgres', url: 'http://c:8083' };
    expect(operations(aclsFor(), 'worker', 'totals.')).not.toContain('Write');
    for (const snapshot of ['copy', 'incremental'])
      expect(
        operations(aclsFor({ connector: { ...connector, snapshot } }), 'worker', 'totals.'),
      ).toContain('Write');
  });
  it('cover output, groups, sink and pipeline of a migration with a batch', () => {
    const acls = aclsFor(BATCH_PARTS);
    expect(operations(acls, 'worker', 'totals')).toEqual([
      'Create',
      'Delete',
      'Describe',
      'DescribeConfigs',
      'Read',
    ]);
    expect(acls).toContainEqual(
      expect.objectContaining({ name: 'totals-', pattern: 'prefixed', principal: 'worker' }),
    );
    expect(operations(acls, 'worker', 'totals-')).toEqual(['Describe', 'Read']);
    expect(operations(acls, 'connect', 'totals.')).toEqual(['Describe', 'Write']);
    expect(operations(acls, 'connect', 'connect-totals-sink')).toEqual(['Read']);
    expect(operations(acls, 'pipeline', 'totals')).toEqual(['Describe', 'Write']);
    expect(acls.filter((acl) => acl.resource === 'group' && acl.principal === 'pipeline')).toEqual([
      expect.objectContaining({ name: 'totals', operations: ['Describe', 'Read'] }),
    ]);
  });
  it('have one prefix for the topics of all generations', () => {
    const plan = aPlan({ name: 'totals', spec: { kafka: KAFKA } }, 3);
    const [own] = aclsOf(plan);
    expect(own).toMatchObject({ name: 'totals.', pattern: 'prefixed' });
    expect(plan.topics.every((topic) => topic.startsWith('totals.'))).toBe(true);
  });
});
