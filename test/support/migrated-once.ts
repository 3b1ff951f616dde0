// Checks what a run shows at its end. The same must hold if workers were killed during the run.
import { expect } from 'vitest';
import { get, sluice } from './sluice.js';

/**
 * Expects that the run migrated in its first generation, committed once, and had no failed window.
 * Returns the kinds of its audit entries.
 */
export async function expectMigratedOnce(name: string): Promise<string[]> {
  const status = await get(name);
  expect(status).toMatchObject({
    outcome: 'migrated',
    leftovers: [],
    iteration: 1,
    generation: 1,
    route: { side: 'stream' },
  });
  expect(status.windows.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  const { events } = JSON.parse(sluice('report', name, '-o', 'json').stdout) as {
    events: { kind: string }[];
  };
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'committed')).toHaveLength(1);
  return kinds;
}
