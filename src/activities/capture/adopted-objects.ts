// Inspects the objects that a migration adopts, which means that it uses them and never changes
// them. For each object, finds out whether it exists and can be adopted. Also reads the object's
// identity, and its differences from an object that Sluice would create.
import {
  readCapturedTable,
  readPublication,
  qualifyNames,
} from '../../clients/postgres/captured-catalog.js';
import { readSource, type SourceClient } from '../../clients/postgres/connection.js';
import { lossOf, readSlot } from '../../clients/postgres/slots.js';
import { differences, unfit } from '../../connectors/existing-connector.js';
import type { AdoptedObject } from '../../domain/capture/adopted.js';
import { captureProblem } from '../../domain/capture/captured-set.js';
import type { Check, CheckName } from '../../domain/evidence/check.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import {
  TABLE_TOPIC,
  RETENTION_SETTINGS,
  differingSettings,
  losesRecords,
} from '../../domain/plan/topic-settings.js';
import { attempt, type Answer } from '../runtime/make-finding.js';
import { shortDigest } from '../runtime/short-digest.js';
import type { CaptureDeps } from './capture-adapter.js';

export interface Inspected {
  readonly checks: readonly Check[] & Check[];
  /** The objects that exist and can be adopted, in the order of the plan. */
  readonly objects: readonly AdoptedObject[];
}

/** The identity of an object and its differences, or the reason why it cannot be adopted. */
type Look = Pick<AdoptedObject, 'identity' | 'differs'> | Exclude<Answer, string>;

type LookAt = (deps: CaptureDeps, plan: ResolvedPlan, object: OwnedObject) => Promise<Look>;

const CHECK_OF: Readonly<Record<string, { readonly check: CheckName; readonly lookAt: LookAt }>> = {
  topic: { check: 'adopt.topic', lookAt: lookAtTopic },
  publication: { check: 'adopt.publication', lookAt: onSource(lookAtPublication) },
  slot: { check: 'adopt.slot', lookAt: onSource(lookAtSlot) },
  connector: { check: 'adopt.connector', lookAt: lookAtConnector },
};

/**
 * Inspects every object that the plan adopts. Never throws: an object that cannot be read is
 * reported as unknown.
 */
export async function inspectAdopted(deps: CaptureDeps, plan: ResolvedPlan): Promise<Inspected> {
  const checks: Check[] = [];
  const objects: AdoptedObject[] = [];
  for (const object of plan.adopts) {
    const { check, lookAt } = CHECK_OF[object.kind]!;
    checks.push(
      await attempt(
        check,
        async () => {
          const seen = await lookAt(deps, plan, object);
          if (!('identity' in seen)) return seen;
          objects.push({ ...object, ...seen });
          return `will be adopted without changes${seen.differs.length === 0 ? '' : `; Sluice would set: ${seen.differs.join(', ')}`}`;
        },
        object.name,
      ),
    );
  }
  return { checks, objects };
}

async function lookAtTopic(
  { systems }: CaptureDeps,
  plan: ResolvedPlan,
  { name }: OwnedObject,
): Promise<Look> {
  const kafka = systems.kafka(plan);
  const found = (await kafka.describeTopics([name], RETENTION_SETTINGS)).get(name);
  if (!found)
    return {
      detail: 'the topic does not exist, or this user cannot describe it',
      remedy: 'name the topic of this table in existing.topics, or grant DESCRIBE on it',
    };
  const { partitions } = plan.spec.kafka;
  if (found.partitions !== partitions)
    return {
      detail: `the topic has ${found.partitions} partitions, but the spec says ${partitions}`,
      remedy: `set kafka.partitions: ${found.partitions}`,
    };
  const loses = losesRecords(found.settings);
  if (loses !== null)
    return {
      detail: `${loses}, so windows would soon miss records`,
      remedy: 'set cleanup.policy=compact on the topic, if its consumers allow it',
    };
  const cut = (await kafka.offsets(name)).find(({ low }) => low > 0);
  if (cut)
    return {
      detail: `partition ${cut.partition} begins at offset ${cut.low}, so its beginning was deleted`,
      remedy: 'load the table into a new topic that is only compacted, and adopt that topic',
    };
  return {
    identity: `id ${found.id ?? 'unknown'}, ${found.partitions} partitions`,
    differs: differingSettings(TABLE_TOPIC, found.settings),
  };
}

function onSource(
  lookAt: (client: SourceClient, plan: ResolvedPlan, object: OwnedObject) => Promise<Look>,
): LookAt {
  return ({ secret }, plan, object) =>
    readSource(plan, secret, (client) => lookAt(client, plan, object));
}

async function lookAtPublication(
  client: SourceClient,
  plan: ResolvedPlan,
  { name }: OwnedObject,
): Promise<Look> {
  await qualifyNames(client);
  const planned = plan.tables.map(({ text }) => text);
  const publication = await readPublication(client, name, planned);
  if (!publication)
    return {
      detail: 'the publication does not exist',
      remedy: "name the connector's publication in existing.publication",
    };
  const tables = [];
  for (const text of planned) tables.push(await readCapturedTable(client, text));
  const problem = captureProblem(planned, tables, publication, name);
  return problem ?? { identity: `version ${publication.version}`, differs: [] };
}

async function lookAtSlot(
  client: SourceClient,
  plan: ResolvedPlan,
  { name }: OwnedObject,
): Promise<Look> {
  const remedy = "name the connector's slot in existing.slot";
  const slot = await readSlot(client, name);
  if (!slot) return { detail: 'the slot does not exist', remedy };
  const loss = lossOf(name, slot);
  if (loss) return { detail: loss, remedy: 'create a new slot, and load the topics again' };
  const { plugin, database } = slot;
  if (plugin !== 'pgoutput' || database !== plan.database)
    return {
      detail: `the slot is ${plugin} on ${database}, not pgoutput on ${plan.database}`,
      remedy,
    };
  return { identity: `${plugin} on ${database}`, differs: [] };
}

async function lookAtConnector(
  { systems }: CaptureDeps,
  plan: ResolvedPlan,
  { name }: OwnedObject,
): Promise<Look> {
  const stored = await systems.connect(plan).config(name);
  if (!stored)
    return {
      detail: 'the connector does not exist at Kafka Connect',
      remedy: 'set existing.connector to the connector that writes to the topics',
    };
  const problems = unfit(plan, stored);
  if (problems.length > 0)
    return {
      detail: problems.join('; '),
      remedy: 'change the connector yourself and load its topics again, or migrate without adopt',
    };
  return {
    identity: `configuration ${shortDigest(stored)}`,
    differs: differences(plan, stored),
  };
}
