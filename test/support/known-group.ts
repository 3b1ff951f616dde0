// Builds the description of a consumer group, as the brokers give it.
import type { KnownGroup } from '../../src/clients/kafka/groups.js';

/** Returns a stable group whose only member subscribes to these topics. */
export const described = (...topics: string[]): KnownGroup => ({
  type: 'classic',
  state: 'Stable',
  members: ['m'],
  protocol: 'range',
  clients: ['c'],
  topics,
});
