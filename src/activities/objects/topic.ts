// Creates and removes topics. Sluice creates every topic of the plan, with explicit settings,
// before anything writes to it.
import { Problem } from '../../domain/failure.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import {
  differingSettings,
  topicsToMake,
  type PlannedTopic,
} from '../../domain/plan/topic-settings.js';
import { isThere, type Asking, type OwnedKind, type Site } from './owned-kind.js';

const GONE_ATTEMPTS = 50;
const GONE_POLL_MS = 100;

/**
 * Throws Problem `permission-denied` if ACLs hide the topic, because a hidden topic would seem to
 * be removed.
 */
const exists = async ({ systems, plan }: Asking, { name }: OwnedObject): Promise<boolean> => {
  const kafka = systems.kafka(plan);
  await kafka.refuseHidden([name]);
  return (await kafka.listTopics()).includes(name);
};

const asPlanned = ({ plan }: Asking, { name }: OwnedObject): PlannedTopic => {
  const planned = topicsToMake(plan).find(({ topic }) => topic === name);
  if (!planned) throw new Error(`topic ${name} is not part of the plan`);
  return planned;
};

export const topic: OwnedKind = {
  exists,
  create: async (site, object) => {
    const { partitions, settings } = asPlanned(site, object);
    const { replication } = site.plan.spec.kafka;
    await site.systems.kafka(site.plan).createTopic(object.name, partitions, replication, settings);
  },
  remove: async (site, object) => {
    await site.systems.kafka(site.plan).deleteTopic(object.name);
    for (let attempt = 0; attempt < GONE_ATTEMPTS && (await exists(site, object)); attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS));
  },
  healthy: isThere(exists),
  nameCheck: {
    check: 'kafka.topics-free',
    taken: async ({ systems, plan }, objects) => {
      const found = await systems.kafka(plan).listTopics();
      return objects.filter(({ name }) => found.includes(name));
    },
  },
};

/**
 * Checks the settings that decide which records the topic still contains for a later reader. Except
 * for the output topic, also checks the number of partitions. Throws Problem `preflight-failed` if
 * the settings differ from the plan, and `topic-lost` if the number differs.
 */
export async function demandAsPlanned(site: Site, object: OwnedObject): Promise<void> {
  const { plan, systems } = site;
  const { name } = object;
  const { partitions, settings } = asPlanned(site, object);
  const found = (await systems.kafka(plan).describeTopics([name], Object.keys(settings))).get(name);
  if (!found) return;
  if (found.partitions !== partitions && name !== plan.spec.pipeline?.output.topic)
    throw new Problem(
      'topic-lost',
      `topic ${name} has ${found.partitions} partitions, but ${partitions} are planned`,
    );
  const differing = differingSettings(settings, found.settings);
  if (differing.length === 0) return;
  const wanted = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  throw new Problem(
    'preflight-failed',
    `topic ${name} has settings that differ from the plan: ${differing.join(', ')}`,
    `kafka-configs --alter --entity-type topics --entity-name ${name} --add-config ${wanted.join(',')}; then: sluice retry`,
  );
}
