// Tests how `report verify` finds the digests of windows in Temporal's history.
import { describe, expect, it } from 'vitest';
import { anchorsIn } from '../../src/cli/support/evidence-anchors.js';

const scheduled = (eventId: number, name: string) => ({
  eventId,
  activityTaskScheduledEventAttributes: { activityType: { name } },
});
const completed = (scheduledEventId: number, result: object) => ({
  eventId: scheduledEventId + 2,
  activityTaskCompletedEventAttributes: {
    scheduledEventId,
    result: { payloads: [{ data: Buffer.from(JSON.stringify(result)) }] },
  },
});

describe("the windows in a run's history", () => {
  it('are found with their numbers and chain digests, and without results of other activities', () => {
    const events = [
      scheduled(5, 'runWindow'),
      scheduled(6, 'record'),
      completed(6, { number: 9, chain: 'not a window' }),
      completed(5, { number: 1, chain: 'aa' }),
      scheduled(9, 'runWindow'),
    ];
    expect(anchorsIn(events)).toEqual([{ number: 1, chain: 'aa' }]);
  });
});
