// Defines a capture that no spec can name. It shows everything that a new capture needs.
import type { CaptureAdapter } from '../../src/activities/capture/capture-adapter.js';
import type { CaptureMode, CapturePlan } from '../../src/domain/capture/capture.js';
import { NO_LOAD } from '../../src/domain/capture/load.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';

/** In this invented capture, rows arrive by mail, with one letter for each table. */
export const MAIL: CaptureMode = {
  whySettled: null,
  whyNotCompared: null,
  plan: () =>
    ({
      kind: 'mail',
      load: 'none',
      loading: NO_LOAD,
      notes: ['letters may be late'],
      hasSlot: false,
      carriesMarkers: false,
      carriesBefore: false,
      carriesGenerated: true,
      publishesStored: false,
      carriesHeirs: true,
      subjectMode: 'settled',
      query: null,
      sessions: 1,
    }) as unknown as CapturePlan,
  captures: (spec) =>
    spec.spec.source.tables.map((subject) => ({
      subject,
      connector: 'postman',
      topic: `mail.${subject}`,
    })),
  ownTopics: () => ['mail.stamps'],
  contradictions: () => [],
};

/** The part of this capture that would call other systems. It only returns fixed answers. */
export const MAIL_ADAPTER: CaptureAdapter = {
  checks: () => Promise.resolve([]),
  connectors: (_deps, plan) =>
    Promise.resolve(
      plan.sourceConnectors.map((name) => ({ name, connectorClass: 'Postman', config: {} })),
    ),
  mark: (_deps, _run, { token }) =>
    Promise.resolve({ lsn: '0/1', reached: () => Promise.resolve(`${token} is on its way`) }),
  state: () => Promise.resolve({ facts: {}, problem: null }),
  settled: () => Promise.resolve([]),
  whyMissing: () => Promise.resolve('the letter is late'),
};

export const byMail = (spec: MigrationSpec): MigrationSpec =>
  ({
    ...spec,
    spec: { ...spec.spec, connector: { ...spec.spec.connector, type: 'mail' } },
  }) as unknown as MigrationSpec;
