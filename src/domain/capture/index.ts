// Selects the capture by the connector type of a spec, and derives topics and connectors from it.
import { namesOf, type Capture } from '../migration/names.js';
import type { ConnectorSpec, MigrationSpec } from '../migration/spec.js';
import type { Contradiction } from '../routes/route.js';
import { Registry } from '../values/registry.js';
import type { CaptureMode, CapturePlan } from './capture.js';
import { LOADS } from './load.js';
import { logCapture } from './log.js';
import { pollingCapture } from './polling.js';

export const CAPTURES = new Registry<ConnectorSpec['type'], CaptureMode>('capture', {
  'debezium-postgres': logCapture,
  'jdbc-source': pollingCapture,
});

const modeOf = ({ spec }: MigrationSpec): CaptureMode => CAPTURES.of(spec.connector.type);

/** Returns the capture of a spec. */
export const captureOf = (spec: MigrationSpec): CapturePlan => modeOf(spec).plan(spec);

/** Lists what the source connectors write into topics, in the order of the spec. */
export const capturesOf = (spec: MigrationSpec, generation: number): Capture[] =>
  modeOf(spec).captures(spec, generation);

export const sourceConnectors = (spec: MigrationSpec, generation: number): string[] => [
  ...new Set(capturesOf(spec, generation).map(({ connector }) => connector)),
];

/** Lists the topics that the source connector writes in addition to those of the tables. */
export const logTopics = (spec: MigrationSpec, generation: number): string[] =>
  modeOf(spec).ownTopics(spec, generation);

/**
 * Lists every topic that a generation uses: topics of tables, scaffolding topics, and the
 * pipeline's output.
 */
export function plannedTopics(spec: MigrationSpec, generation: number): string[] {
  const window =
    spec.spec.validation.engine === 'flink' ? [namesOf(spec, generation).windowTopic] : [];
  return [
    ...capturesOf(spec, generation).map((capture) => capture.topic),
    ...logTopics(spec, generation),
    ...window,
    ...(spec.spec.pipeline ? [spec.spec.pipeline.output.topic] : []),
  ];
}

/** Finds contradictions between the spec and its capture or initial load. */
export const captureContradictions = (spec: MigrationSpec): Contradiction[] => [
  ...LOADS.of(spec.spec.connector.snapshot).contradictions(spec),
  ...modeOf(spec).contradictions(spec),
];
