// Tests how Sluice configures the JDBC source plugins of Kafka Connect, and which of them it
// refuses.
import { describe, expect, it } from 'vitest';
import {
  carriedBy,
  pluginReadsEveryRow,
} from '../../src/activities/capture/polling/polling-plugin-checks.js';
import { refuseReferences } from '../../src/activities/capture/polling.js';
import { attempt } from '../../src/activities/runtime/make-finding.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../../src/connectors/jdbc-source.js';
import { jdbcUrl } from '../../src/connectors/jdbc-url.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
import { applyWaivers, type Check } from '../../src/domain/evidence/check.js';
import type { PollingMode } from '../../src/domain/migration/spec.js';
import { aPlan } from '../support/builders.js';

const plan = aPlan({
  spec: {
    connector: {
      type: 'jdbc-source',
      url: 'http://127.0.0.1:8083',
      mode: 'incrementing',
      incrementingColumn: 'id',
      deletes: 'none',
    },
  },
});

describe('the configuration of a JDBC source', () => {
  it.each(JDBC_PLUGINS)(
    'makes its session read-only, and makes queries fail if row security hides rows: $connectorClass',
    (plugin) => {
      const shape = { columns: [{ name: 'id', type: 'int8' }], key: ['id'] };
      const config = jdbcSourceConfig(plan, pollingOf(plan), plan.captures[0]!, shape, plugin);
      const url = new URL(config['connection.url']!.replace('jdbc:', ''));
      expect(url.searchParams.get('options')).toBe(
        '-c default_transaction_read_only=on -c row_security=off',
      );
    },
  );
});

describe('the URL of a database', () => {
  it.each(['a?b', 'a b', 'ä%', 'a+b/c#d&e', '${env:PGPASSWORD}'])(
    'has the name of the database in a form that the driver decodes: %s',
    (database) => {
      const address = { ...plan.spec.source.postgres, database };
      const url = jdbcUrl(address, 'a?b', "-c role=it's");
      expect(url).not.toContain('${');
      const [path, query] = url.replace(/^jdbc:postgresql:\/\/[^/]+\//, '').split('?');
      expect(decodeURIComponent(path!)).toBe(database);
      const parameters = new URLSearchParams(query);
      expect(parameters.get('ApplicationName')).toBe('a?b');
      expect(parameters.get('options')).toBe("-c role=it's");
    },
  );
});

describe('the query of a JDBC source', () => {
  it.each(['${env:PGPASSWORD}', '${file:/f:k}'])(
    'is refused if Kafka Connect would put a secret into it: a column named %s',
    (name) => {
      const shape = { columns: [{ name, type: 'int8' }], key: ['id'] };
      const config = jdbcSourceConfig(
        plan,
        pollingOf(plan),
        plan.captures[0]!,
        shape,
        JDBC_PLUGINS[0]!,
      );
      expect(() => refuseReferences('c', config)).toThrow('connector c: its query contains ${');
    },
  );

  it('may contain a dollar sign with braces that name no config provider', () => {
    expect(() => refuseReferences('c', { query: "SELECT '${a}', '$:{b:c}'" })).not.toThrow();
  });
});

const [OWN, AIVEN, CONFLUENT] = [
  'dev.sluice.jdbc.JdbcSourceConnector',
  'io.aiven.connect.jdbc.JdbcSourceConnector',
  'io.confluent.connect.jdbc.JdbcSourceConnector',
] as const;

/** Returns the finding for a worker of Kafka Connect that has only one plugin. */
function modeWith(plugin: string, mode: PollingMode): Promise<Check> {
  const systems = { connect: () => ({ pluginClasses: () => Promise.resolve([plugin]) }) };
  const deps = { systems } as unknown as Pick<Deps, 'systems'>;
  return attempt('polling.mode', () => pluginReadsEveryRow(deps, plan, { mode }));
}

describe('the only installed JDBC source', () => {
  it.each([
    [AIVEN, 'incrementing', 'ignores the delay'],
    [AIVEN, 'timestamp', 'after a restart'],
    [CONFLUENT, 'incrementing', 'ignores the delay'],
  ] as const)('is refused, and no waiver allows it: %s in mode %s', async (plugin, mode, why) => {
    const check = await modeWith(plugin, mode);
    expect(check).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(`${plugin} can skip rows in mode ${mode}, because .*${why}`),
      remedy: expect.stringContaining('use connector.mode timestamp+incrementing, or the JDBC'),
    });
    const waiver = { check: 'polling.mode', reason: 'no', until: '2099-01-01' };
    expect(applyWaivers([check], [waiver], '2026-01-01')).toEqual([check]);
  });

  it.each([
    [OWN, 'incrementing'],
    [OWN, 'timestamp'],
    [OWN, 'timestamp+incrementing'],
    [OWN, 'bulk'],
    [AIVEN, 'timestamp+incrementing'],
    [CONFLUENT, 'timestamp'],
    [CONFLUENT, 'timestamp+incrementing'],
  ] as const)(
    'is accepted if its position never moves beyond an unread row: %s in mode %s',
    async (plugin, mode) => {
      expect(await modeWith(plugin, mode)).toMatchObject({ status: 'passed' });
    },
  );
});

describe('a plugin that Sluice does not provide', () => {
  const [, aiven] = JDBC_PLUGINS;
  const columns = [
    { name: 'id', type: 'int8' },
    { name: 'tags', type: 'text[]' },
  ];
  it('cannot be used in mode bulk, because it does not report the end of a poll', () => {
    for (const some of [columns, columns.slice(0, 1)])
      expect(carriedBy(aiven!, { mode: 'bulk' }, some)).toMatchObject({
        detail: expect.stringContaining('does not report when a complete poll ended'),
        remedy:
          'use the JDBC source that comes with Sluice (java/jdbc-source), or another connector.mode than bulk',
      });
  });

  it('cannot be used in mode timestamp if a column is an array', () => {
    expect(carriedBy(aiven!, { mode: 'timestamp' }, columns)).toMatchObject({
      detail: expect.stringContaining('cannot carry arrays: tags'),
      remedy: expect.stringContaining('leave these columns out in a connector.query'),
    });
    expect(carriedBy(aiven!, { mode: 'timestamp' }, columns.slice(0, 1))).toContain('every column');
  });
});
