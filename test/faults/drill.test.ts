// Runs the complete cut-over drill, which takes about half an hour. The drill fences and commits
// many times at the worst moments, and counts wrong results. SLUICE_DRILL_ROUNDS and
// SLUICE_DRILL_TRIALS make it shorter. The suites `e2e` (cutover-drill) and `integration`
// (source-fence) run short drills.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceRounds, openDrill, percentile, type Drill } from '../../bench/drill.js';
import { leaseEdge } from '../../bench/expiry-drill.js';
import { sourceFenceRounds } from '../../bench/fence-drill.js';

const ROUNDS = Number(process.env['SLUICE_DRILL_ROUNDS'] ?? 1000);
const TRIALS = Number(process.env['SLUICE_DRILL_TRIALS'] ?? 10_000);
const BUSY = 16;
const HOURS = 3_600_000;
let drill: Drill;
beforeAll(async () => {
  drill = await openDrill('whole_drill');
});
afterAll(() => drill.close());

const said = (what: string, values: readonly number[]): void =>
  console.log(
    `${what}: p50 ${Math.round(percentile(values, 0.5))} ms, p99 ${Math.round(percentile(values, 0.99))} ms`,
  );

describe('the whole drill', () => {
  it(
    'shows no reader the wrong side (batch or stream) during fences and commits of a view',
    { timeout: HOURS },
    async () => {
      const { slipped, refused, fenceMs, holdMs } = await fenceRounds(drill, ROUNDS, BUSY);
      said('fence', fenceMs);
      said('fence to commit', holdMs);
      expect({ slipped, refused }).toEqual({ slipped: 0, refused: [] });
    },
  );

  it(
    'lets no write into a fenced source before its commit, and gives writers no error but the refusal',
    { timeout: HOURS },
    async () => {
      const { slipped, broken, refused, fenceMs, holdMs } = await sourceFenceRounds(
        drill,
        ROUNDS,
        BUSY,
      );
      said('fence', fenceMs);
      said('fence to commit', holdMs);
      expect({ slipped, broken, refused }).toEqual({ slipped: 0, broken: [], refused: [] });
    },
  );

  it(
    'accepts no commit after its fence has expired, or after the fence of a different attempt',
    { timeout: HOURS },
    async () => {
      expect(await leaseEdge(drill, TRIALS, 20, 'real')).toMatchObject({ late: 0, both: 0 });
    },
  );
});
