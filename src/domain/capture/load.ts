// Defines the initial loads of a capture that reads the log (the WAL). The connector loads the
// tables in one transaction or in chunks, or Sluice loads them.
import { COPY_ROWS_PER_SECOND, SNAPSHOT_ROWS_PER_SECOND } from '../values/rates.js';
import type { ConnectorSpec } from '../migration/spec.js';
import { Registry } from '../values/adapter-registry.js';
import type { LoadFacts } from './capture.js';

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

/**
 * The facts of a capture without an initial load. With polling, the first poll reads everything, so
 * nothing else loads the tables.
 */
export const NO_LOAD: LoadFacts = { ...BY_CONNECTOR, load: 'none', watch: 'watchPolled' };

export const LOADS = new Registry<ConnectorSpec['snapshot'], { readonly facts: LoadFacts }>(
  'initial load',
  {
    initial: {
      facts: { ...BY_CONNECTOR, load: 'initial', claimsSlot: true, startsWithLoad: true },
    },
    incremental: {
      facts: {
        ...BY_CONNECTOR,
        load: 'incremental',
        makesSlotFirst: true,
        isSignalled: true,
        holdsSnapshot: false,
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
    },
  },
);
