// Tests how Kafka Connect gets the password of a login. A reference that Kafka Connect could not
// resolve is refused.
import { describe, expect, it } from 'vitest';
import { resolve } from '../../src/domain/plan/resolve.js';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { specOf } from '../support/sluice.js';

const parse = (passwordFrom: object, config: Record<string, string> = {}) => {
  const postgres = { host: 'db', port: 5432, database: 'shop', user: 'migrator', passwordFrom };
  const connector = { type: 'debezium-postgres', url: 'http://connect:8083', config };
  return parseSpecObject(
    specOf('logins', 'shop', [], {
      source: { postgres, tables: ['public.orders'] },
      connector,
      kafka: { brokers: ['kafka:9092'] },
    }),
  );
};

describe('a password from a file', () => {
  it('becomes a reference to a file and a key in it, because FileConfigProvider needs a key', () => {
    const parsed = parse({ file: '/run/secrets/shop.properties:password' });
    expect(
      parsed.ok &&
        debeziumPostgresConfig(resolve({ spec: parsed.spec, generation: 1 }))['database.password'],
    ).toBe('${file:/run/secrets/shop.properties:password}');
  });
  it('is refused without a key, unless the connector has a password of its own', () => {
    const parsed = parse({ file: '/run/secrets/shop' });
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).toContain('{ file: /folder/name.properties:password }');
    expect(parse({ file: '/run/secrets/shop' }, { 'database.password': '${env:SHOP}' }).ok).toBe(
      true,
    );
  });
});

describe('a separate login of the connector', () => {
  it('needs its own password', () => {
    expect(parse({ env: 'SLUICE_SECRET_SHOP' }, { 'database.user': 'capture' }).ok).toBe(false);
    const parsed = parse(
      { env: 'SLUICE_SECRET_SHOP' },
      { 'database.user': 'capture', 'database.password': '${env:SLUICE_SECRET_CAPTURE}' },
    );
    expect(
      parsed.ok && debeziumPostgresConfig(resolve({ spec: parsed.spec, generation: 1 })),
    ).toMatchObject({
      'database.user': 'capture',
      'database.password': '${env:SLUICE_SECRET_CAPTURE}',
    });
  });
});
