// Defines the capture with `adopt: true`. A Debezium connector of another owner writes to the
// topics. Sluice only reads the topics, and the states of the connector, slot and publication. It
// never changes any of them.
import type { OwnedObject } from '../evidence/ledger-rows.js';
import { connectPlace } from '../migration/connect-control.js';
import type { MigrationSpec } from '../migration/spec.js';
import { contradictionList } from '../migration/contradiction.js';
import type { CaptureMode } from './capture.js';
import { NO_LOAD } from './load.js';

/**
 * The remedy for a lost slot. Sluice never creates an adopted slot, so its owner must create it
 * again.
 */
export const LOST_REMEDY =
  'create the slot and load the topics again, because Sluice never does; then: sluice retry, or sluice rollback';

export const adoptedCapture: CaptureMode = {
  whySettled: 'Sluice may neither pause an adopted connector nor send markers through it',
  whyNotCompared: null,
  plan({ spec }) {
    const { connector, slot } = spec.existing ?? {};
    return {
      kind: 'adopted',
      load: 'none',
      loading: { ...NO_LOAD, watch: null, holdsSnapshot: false },
      notes: [
        `adopt: connector ${connector}, slot ${slot}, their publication and topics belong to another owner. Sluice never changes, restarts or removes them, and sends no markers through them. To prove a position, it waits until slot ${slot} has confirmed that position`,
        `adopt: Sluice assumes that the initial load of ${connector} is complete; the first full window proves it`,
      ],
      hasSlot: false,
      readsSlot: true,
      isAdopted: true,
      carriesMarkers: false,
      carriesBefore: false,
      carriesGenerated: false,
      publishesStored: false,
      carriesHeirs: false,
      subjectMode: 'exact',
      query: null,
      sessions: 0,
    };
  },

  captures: (spec) =>
    spec.spec.source.tables.map((subject) => ({
      subject,
      connector: spec.spec.existing?.connector ?? '',
      topic: topicOf(spec, subject) ?? subject, // `contradictions` refuses a missing topic
    })),

  ownTopics: () => [],
  contradictions,
};

function topicOf({ spec }: MigrationSpec, subject: string): string | undefined {
  const topics = spec.existing?.topics;
  return typeof topics === 'object' ? topics[subject] : undefined;
}

/** Lists the objects that a migration adopts. Empty if it adopts nothing. */
export function adoptedObjects(migration: MigrationSpec): OwnedObject[] {
  const { adopt, connector, existing, kafka, source } = migration.spec;
  if (!adopt || !existing) return [];
  const { host, port, database } = source.postgres;
  const server = `${host}:${port}/${database}`; // two servers may have databases of the same name
  const named = (kind: OwnedObject['kind'], name: string | undefined, where: string) =>
    name === undefined ? [] : [{ kind, name, where }];
  return [
    ...source.tables.flatMap((table) =>
      named('topic', topicOf(migration, table), kafka.brokers.join(',')),
    ),
    ...named('publication', existing.publication, server),
    ...named('slot', existing.slot, server),
    ...named('connector', existing.connector, connectPlace(connector)),
  ];
}

/** An adopted object as it is now. */
export interface AdoptedObject extends OwnedObject {
  /** Text that changes if a person replaces or reconfigures the object. */
  readonly identity: string;
  /** Settings that Sluice would set differently if it created the object. */
  readonly differs: readonly string[];
}

export const describeAdopted = ({ kind, name, identity, differs }: AdoptedObject): string =>
  `${kind} ${name} (${identity})${differs.length === 0 ? '' : `, where Sluice would set: ${differs.join(', ')}`}`;

function contradictions(migration: MigrationSpec) {
  const { spec } = migration;
  const { found, add } = contradictionList();
  if (spec.connector.type !== 'debezium-postgres')
    add('adopt needs a connector of type debezium-postgres', 'connector', 'type');
  if (spec.connector.snapshot !== 'initial')
    add(
      'omit snapshot, because an adopted connector has loaded the tables',
      'connector',
      'snapshot',
    );
  if (spec.connector.topicPrefix !== undefined)
    add(
      'omit topicPrefix, because existing.topics names the adopted topics',
      'connector',
      'topicPrefix',
    );
  if (Object.keys(spec.connector.config).length > 0)
    add('omit config, because Sluice never changes an adopted connector', 'connector', 'config');
  if (spec.batch)
    add(
      'adopt takes over the capture of tables only, and compares no results yet; remove batch, pipeline and sink',
      'batch',
    );
  if ((spec.kafka.format ?? 'json') !== 'json')
    add('adopt reads topics in JSON only; other formats are not supported yet', 'kafka', 'format');
  if (spec.validation.engine === 'flink')
    add(
      'the engine flink needs a topic prefix of its own; use engine embedded',
      'validation',
      'engine',
    );
  if (spec.validation.laterWindows === 'witness')
    add(
      'a witness writes markers into the log, which an adopted connector may publish; omit laterWindows',
      'validation',
      'laterWindows',
    );
  missing(migration).forEach(([message, ...path]) => add(message, ...path));
  return found;
}

/**
 * Finds objects that the spec does not name, although it must. A pattern for topics is not enough,
 * because it could match a wrong topic by chance.
 */
function missing({ spec }: MigrationSpec): [string, ...string[]][] {
  const { existing } = spec;
  if (!existing)
    return [['adopt needs existing, which names topics, publication, slot and connector', 'adopt']];
  const { topics } = existing;
  const parts = (['publication', 'slot', 'connector'] as const)
    .filter((part) => existing[part] === undefined)
    .map((part): [string, ...string[]] => [
      `adopt needs the name of the ${part}: add existing.${part}`,
      'existing',
    ]);
  if (typeof topics !== 'object')
    return [
      ...parts,
      [
        'adopt needs a topic for each table, because a pattern can match by chance',
        'existing',
        'topics',
      ],
    ];
  const without = spec.source.tables.filter((table) => topics[table] === undefined);
  return [
    ...parts,
    ...without.map((table): [string, ...string[]] => [
      `adopt needs the topic of ${table}`,
      'existing',
      'topics',
    ]),
  ];
}
