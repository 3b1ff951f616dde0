// Defines the initial loads of a capture that reads the log: by the connector in one transaction,
// by the connector in chunks, or by Sluice.
import { COPY_ROWS_PER_SECOND, SNAPSHOT_ROWS_PER_SECOND } from '../values/rates.js';
import type { ConnectorSpec, MigrationSpec } from '../migration/spec.js';
import { contradictionList, type Contradiction } from '../routes/route.js';
import { Registry } from '../values/registry.js';
import type { LoadFacts } from './capture.js';

interface Load {
  readonly facts: LoadFacts;
  contradictions(spec: MigrationSpec): Contradiction[];
}

const BY_CONNECTOR: Omit<LoadFacts, 'load'> = {
  makesSlotFirst: false,
  claimsSlot: false,
  isSignalled: false,
  copies: false,
  watch: 'watchSnapshot',
  startsWithLoad: false,
  rowsPerSecond: SNAPSHOT_ROWS_PER_SECOND,
  holdsSnapshot: true,
};

/** The first poll reads everything, so nothing else loads the tables. */
export const NO_LOAD: LoadFacts = { ...BY_CONNECTOR, load: 'none', watch: 'watchPolled' };

export const LOADS = new Registry<ConnectorSpec['snapshot'], Load>('initial load', {
  initial: {
    facts: { ...BY_CONNECTOR, load: 'initial', claimsSlot: true, startsWithLoad: true },
    contradictions: () => [],
  },
  incremental: {
    facts: {
      ...BY_CONNECTOR,
      load: 'incremental',
      makesSlotFirst: true,
      isSignalled: true,
      holdsSnapshot: false,
    },
    contradictions({ spec }) {
      const { found, add } = contradictionList();
      if (spec.kafka.sasl)
        add(
          "the connector reads Sluice's signal from Kafka and cannot use a password for that, so use snapshot initial",
          'connector',
          'snapshot',
        );
      return found;
    },
  },
  copy: {
    facts: {
      ...BY_CONNECTOR,
      load: 'copy',
      copies: true,
      watch: null,
      rowsPerSecond: COPY_ROWS_PER_SECOND,
    },
    contradictions: () => [],
  },
});
