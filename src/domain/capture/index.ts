// Selects the capture of a spec by `adopt` and the connector's type. Derives topics and connectors
// from the capture.
import { namesOf, type Capture, type Names } from '../migration/names.js';
import type { ConnectorSpec, MigrationSpec } from '../migration/spec.js';
import type { Contradiction } from '../migration/contradiction.js';
import { Registry } from '../values/adapter-registry.js';
import type { CaptureMode, CapturePlan } from './capture.js';
import { adoptedCapture } from './adopted.js';
import { logCapture } from './log.js';
import { pollingCapture } from './polling.js';

export const CAPTURES = new Registry<ConnectorSpec['type'], CaptureMode>('capture', {
  'debezium-postgres': logCapture,
  'jdbc-source': pollingCapture,
});

/** With `adopt`, the connector's type selects nothing, because Sluice configures no connector. */
const modeOf = ({ spec }: Pick<MigrationSpec, 'spec'>): CaptureMode =>
  spec.adopt ? adoptedCapture : CAPTURES.of(spec.connector.type);

/** Returns why, with this capture, results cannot be compared exactly. Null if they can. */
export const whySettled = (spec: Pick<MigrationSpec, 'spec'>): string | null =>
  modeOf(spec).whySettled;

/** Returns why `sluice compare` cannot compare the tables of a spec. Null if it can. */
export const whyNotCompared = (spec: Pick<MigrationSpec, 'spec'>): string | null =>
  modeOf(spec).whyNotCompared;

/** Returns the capture of a spec. */
export const captureOf = (spec: MigrationSpec): CapturePlan => modeOf(spec).plan(spec);

/**
 * Lists what the source connectors write to topics, in the order of the spec: each table, or only
 * the rows of `connector.query`.
 */
export const capturesOf = (spec: MigrationSpec, generation: number): Capture[] =>
  modeOf(spec).captures(spec, namesOf(spec, generation));

/** Lists the topics that the source connector uses in addition to the topics of the tables. */
export const logTopics = (spec: MigrationSpec, names: Names): string[] =>
  modeOf(spec).ownTopics(spec, names);

/**
 * Lists every topic that a generation creates: topics of tables, topics that only the migration
 * needs, and the pipeline's output. With `adopt`, the topics of the tables exist already, so the
 * list omits them.
 */
export function plannedTopics(migration: MigrationSpec, generation: number): string[] {
  const { pipeline, validation } = migration.spec;
  const names = namesOf(migration, generation);
  return [
    ...(migration.spec.adopt ? [] : modeOf(migration).captures(migration, names)).map(
      (capture) => capture.topic,
    ),
    ...logTopics(migration, names),
    ...(validation.engine === 'flink' ? [names.windowTopic] : []),
    ...(pipeline ? [pipeline.output.topic] : []),
  ];
}

/** Finds contradictions between the spec and its capture or initial load. */
export const captureContradictions = (migration: MigrationSpec): Contradiction[] => [
  ...modeOf(migration).contradictions(migration),
];
