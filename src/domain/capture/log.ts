// Defines the capture `debezium-postgres`. One connector reads the changes of all tables from the
// log (the WAL), through a publication and a slot.
import { parseTableName, tableTopic } from '../migration/names.js';
import { contradictionList } from '../migration/contradiction.js';
import type { CaptureMode } from './capture.js';
import { LOADS } from './load.js';

const SESSIONS = 3;

const POLLING_KEYS = [
  'mode',
  'query',
  'incrementingColumn',
  'timestampColumns',
  'delay',
  'deletes',
] as const;

export const logCapture: CaptureMode = {
  whySettled: null,
  whyNotCompared: null,
  plan({ spec }) {
    const load = spec.connector.snapshot;
    const loading = LOADS.of(load).facts;
    return {
      kind: 'log',
      load,
      loading,
      notes: [],
      hasSlot: true,
      readsSlot: true,
      isAdopted: false,
      carriesMarkers: true,
      carriesBefore: true,
      carriesGenerated: false,
      // Debezium cannot read a table with generated columns in chunks (check table.chunks)
      publishesStored: !loading.isSignalled,
      carriesHeirs: false,
      subjectMode: 'exact',
      query: null,
      sessions: SESSIONS,
    };
  },

  captures({ spec }, { connector, topicPrefix }) {
    return spec.source.tables.map((subject) => ({
      subject,
      connector,
      topic: tableTopic(topicPrefix, parseTableName(subject)),
    }));
  },

  ownTopics({ spec }, names) {
    const { isSignalled } = LOADS.of(spec.connector.snapshot).facts;
    return [
      names.heartbeatTopic,
      names.messageTopic,
      names.notificationTopic,
      ...(isSignalled ? [names.signalTopic] : []),
    ];
  },

  contradictions({ spec: { connector } }) {
    const { found, add } = contradictionList();
    for (const key of POLLING_KEYS)
      if (connector[key] !== undefined)
        add('belongs to connector type jdbc-source', 'connector', key);
    return found;
  },
};
