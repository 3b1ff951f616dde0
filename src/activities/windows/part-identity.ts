// Identifies the running connectors and consumer groups. A connector is identified by its plugin,
// the plugin's version and the version of Kafka Connect. A group is identified by its protocol, its
// topics and the fixed parts of its client ids. A restart changes none of these, but it changes the
// ids of processes and members.
import type { ConnectControl } from '../../clients/http/connect-control.js';
import type { KnownGroup } from '../../clients/kafka/groups.js';
import { NOT_RUNNING } from '../../domain/evidence/epoch.js';
import { UNKNOWN_IDENTITY } from '../../domain/evidence/fact-rules.js';

/**
 * Returns the plugin's class and version, and the version of Kafka Connect. Kafka Connect also
 * matters, because its converters write the records. Returns `unknown` if Kafka Connect does not
 * state both versions.
 */
export async function pluginVersion(
  rest: Pick<ConnectControl, 'plugins' | 'version'>,
  connectorClass: string | undefined,
): Promise<string> {
  const plugin = (await rest.plugins()).find((one) => one.class === connectorClass);
  const connect = await rest.version();
  // Connect reports "null" or "undefined" for a plugin that does not state its version
  const isStated = (version: string | null | undefined): boolean =>
    Boolean(version) && !['null', 'undefined', 'unknown'].includes(version!);
  if (!plugin || !isStated(plugin.version) || !isStated(connect)) return UNKNOWN_IDENTITY;
  return `${plugin.class} ${plugin.version} on Kafka Connect ${connect}`;
}

/**
 * While a classic group rebalances, Kafka does not describe the protocol and topics of its members.
 */
const isSettled = ({ type, state, members }: KnownGroup): boolean =>
  members.length > 0 && (type !== 'classic' || state === 'Stable');

/**
 * Returns the ids of the members. The list is empty while the group has no members, or while a
 * classic group rebalances.
 */
export const membersOf = (group: KnownGroup): readonly string[] =>
  isSettled(group) ? group.members : [];

/** Returns the group's protocol, the topics that its members read, and their client ids. */
export function groupIdentity(group: KnownGroup): string {
  const { type, protocol, topics, clients } = group;
  if (!isSettled(group)) return `${type} group without members`;
  const names = [...new Set(clients.map(withoutCounters))].sort();
  return `${type} group, protocol ${protocol || NOT_RUNNING}, reads ${topics.join(', ')}, client ids ${names.join(', ')}`;
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/**
 * Removes the parts of a client id that change at every start: random ids, and the counters of
 * Kafka's Java client. Keeps a version that the client id contains.
 */
const withoutCounters = (client: string): string =>
  client
    .replaceAll(UUID, '*')
    .replace(/-StreamThread-\d+/, '-StreamThread-*')
    .replace(/^(consumer-.+)-\d+$/, '$1-*');
