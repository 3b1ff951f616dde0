// Describes consumer groups: protocol, state, members, and the topics that the members read. The
// request DescribeGroups describes only classic groups. Its answer shows newer groups (KIP-848
// consumers, KIP-1071 streams) as dead, so each newer type has its own request.
import { createRequire } from 'node:module';
import * as flexible from './flexible-protocol.js';
import { consumerGroups, listedGroups, streamsGroups } from './group-answers.js';

const require = createRequire(import.meta.url);
const { MemberMetadata } = require('kafkajs/src/consumer/assignerProtocol') as {
  MemberMetadata: { decode: (bytes: Buffer) => { topics: string[] } };
};

/** A group as its coordinator describes it. `absent` means that it knows no such group. */
export interface KnownGroup {
  readonly type: 'classic' | 'consumer' | 'streams' | 'absent';
  readonly state: string;
  /** The sorted ids of the members. A member that replaces another member has a different id. */
  readonly members: readonly string[];
  /**
   * The topics that the members subscribe to or are assigned to. For a streams group, these are the
   * input topics of its topology.
   */
  readonly topics: readonly string[];
  /**
   * Says how partitions are assigned. This is the protocol of a classic group, the assignor of a
   * consumer group, or the epoch of a streams group's topology.
   */
  readonly protocol: string;
  /** The client ids that the members chose, sorted. Unlike member ids, they survive a restart. */
  readonly clients: readonly string[];
}

/** `unknown` says why the group cannot be described. */
export type GroupDescription = KnownGroup | { readonly unknown: string };

/** The parts of a coordinator's connection that are needed to describe a group. */
export interface Coordinator {
  readonly versions: Readonly<Record<number, { maxVersion: number } | undefined>>;
  readonly connectionPool: { send: (call: object) => Promise<unknown> };
  describeGroups(of: { groupIds: string[] }): Promise<{ groups: ClassicGroup[] }>;
}

interface ClassicGroup {
  readonly state: string;
  readonly protocolType: string;
  readonly protocol: string;
  readonly members: readonly { memberId: string; clientId: string; memberMetadata: Buffer }[];
}

const CONSUMER_GROUP_DESCRIBE = 69;
const STREAMS_GROUP_DESCRIBE = 89;
const LIST_GROUPS = 16;
const GROUP_ID_NOT_FOUND = 69;
const NOT_ALLOWED: Readonly<Record<number, string>> = { 29: 'topic', 30: 'group' };
// the coordinator is loading, is not available, or has moved
const TRANSIENT: readonly number[] = [14, 15, 16];

/**
 * Asks the group's coordinator. `hasOffsets` returns whether the group has committed offsets. It is
 * called only for a group that no request describes and that the broker does not list. Throws
 * transient errors, so that the caller can retry.
 */
export async function describeBy(
  broker: Coordinator,
  groupId: string,
  hasOffsets: () => Promise<boolean>,
): Promise<GroupDescription> {
  const classic = await describeClassic(broker, groupId);
  if (classic) return classic;
  for (const ask of [describeConsumers, describeStreams]) {
    const answer = await ask(broker, groupId);
    if (answer) return answer;
  }
  const listed = await listedType(broker, groupId);
  if (listed !== null)
    return { unknown: `the broker lists it as a ${listed} group but does not describe it` };
  if (await hasOffsets()) {
    return { unknown: 'it has committed offsets, but the broker describes it as Dead' };
  }
  return { type: 'absent', state: 'Absent', members: [], topics: [], protocol: '', clients: [] };
}

/** Describes a classic group. Returns null if the broker has no classic group with that id. */
async function describeClassic(broker: Coordinator, id: string): Promise<GroupDescription | null> {
  let group: ClassicGroup | undefined;
  try {
    group = (await broker.describeGroups({ groupIds: [id] })).groups[0];
  } catch (error) {
    const { type } = error as { type?: string };
    if (type === 'GROUP_AUTHORIZATION_FAILED') return { unknown: refused('group') };
    throw error;
  }
  if (!group || group.state === 'Dead') return null;
  const topics = group.members
    .filter(({ memberMetadata }) => group.protocolType === 'consumer' && memberMetadata.length > 0)
    .flatMap(({ memberMetadata }) => MemberMetadata.decode(memberMetadata).topics);
  return described('classic', group, topics, group.protocol);
}

async function describeConsumers(
  broker: Coordinator,
  id: string,
): Promise<GroupDescription | null> {
  const api = { apiKey: CONSUMER_GROUP_DESCRIBE, apiName: 'ConsumerGroupDescribe' };
  const group = await askAbout(broker, api, id, consumerGroups);
  if (group === null || 'unknown' in group) return group;
  const topics = group.members.flatMap((member) => [
    ...member.topics,
    ...[member.assignment, member.target].flatMap((a) => a.topics.map((t) => t.topicName)),
  ]);
  return described('consumer', group, topics, group.assignor);
}

async function describeStreams(broker: Coordinator, id: string): Promise<GroupDescription | null> {
  const api = { apiKey: STREAMS_GROUP_DESCRIBE, apiName: 'StreamsGroupDescribe' };
  const group = await askAbout(broker, api, id, streamsGroups);
  if (group === null || 'unknown' in group) return group;
  const topics = (group.topology?.subtopologies ?? []).flatMap((part) => [
    ...part.sources,
    ...part.repartitionSources.map((topic) => topic.name),
  ]);
  return described('streams', group, topics, `topology ${group.topology?.epoch ?? 'unknown'}`);
}

function described(
  type: KnownGroup['type'],
  { state, members }: { state: string; members: readonly { memberId: string; clientId: string }[] },
  topics: readonly string[],
  protocol: string,
): KnownGroup {
  return {
    type,
    state,
    members: members.map((member) => member.memberId).sort(),
    topics: [...new Set(topics)].sort(),
    protocol,
    clients: members.map((member) => member.clientId).sort(),
  };
}

/**
 * Sends one describe request. Returns null if the broker does not support the request or has no
 * such group.
 */
async function askAbout<G extends { errorCode: number; errorMessage: string }>(
  broker: Coordinator,
  api: { apiKey: number; apiName: string },
  id: string,
  answer: flexible.Read<{ groups: G[] }>,
): Promise<G | { unknown: string } | null> {
  if (!broker.versions[api.apiKey]) return null;
  // the request does not ask for the allowed operations, and has no tagged fields
  const body = Buffer.concat([flexible.compactTexts([id]), Buffer.from([0, 0])]);
  const call = flexible.flexibleCall({ ...api, apiVersion: 0 }, body, answer);
  const group = ((await broker.connectionPool.send(call)) as { groups: G[] }).groups[0];
  if (!group || group.errorCode === GROUP_ID_NOT_FOUND) return null;
  if (group.errorCode === 0) return group;
  const detail = `${api.apiName} ${id}: error ${group.errorCode} ${group.errorMessage}`.trim();
  if (TRANSIENT.includes(group.errorCode)) throw new Error(detail);
  const kind = NOT_ALLOWED[group.errorCode];
  return { unknown: kind ? refused(kind) : detail };
}

/**
 * Returns the listed type of a group that no request describes. Returns null if the broker does not
 * list the group, or is too old to list types.
 */
async function listedType(broker: Coordinator, id: string): Promise<string | null> {
  if ((broker.versions[LIST_GROUPS]?.maxVersion ?? 0) < 5) return null;
  const api = { apiKey: LIST_GROUPS, apiVersion: 5, apiName: 'ListGroups' };
  const body = Buffer.concat([
    flexible.compactTexts([]),
    flexible.compactTexts([]),
    Buffer.from([0]),
  ]);
  const call = flexible.flexibleCall(api, body, listedGroups);
  const { errorCode, groups } = (await broker.connectionPool.send(call)) as {
    errorCode: number;
    groups: { groupId: string; type: string }[];
  };
  if (errorCode !== 0) throw new Error(`ListGroups: error ${errorCode}`);
  return groups.find((group) => group.groupId === id)?.type || null;
}

const refused = (what: string): string =>
  `Sluice's principal is not allowed to DESCRIBE the ${what}`;
