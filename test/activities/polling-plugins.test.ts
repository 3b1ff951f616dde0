// Tests what Sluice asks of the JDBC plugins that Kafka Connect may have.
import { describe, expect, it } from 'vitest';
import { JDBC_PLUGINS, jdbcSourceConfig } from '../../src/connectors/jdbc-source.js';
import { pollingOf } from '../../src/domain/capture/polling.js';
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
    'gets a session that cannot write, and that gets an error if rows are hidden: $connectorClass',
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
