// `npm run bench -- cutover [--rounds 1000] [--trials 10000]` measures the fence and the commit
// under load. It also tries commits at the moment when the fence expires. It needs the local stack.
import { sourceFenceRounds } from './fence-drill.js';
import { fenceRounds, openDrill, percentile } from './drill.js';
import { leaseEdge } from './expiry-drill.js';

export async function cutoverBench(rounds: number, trials: number): Promise<void> {
  const drill = await openDrill('sluice_drill');
  try {
    const busy = 16;
    const started = Date.now();
    const result = await fenceRounds(drill, rounds, busy);
    const ms = (values: readonly number[]): string =>
      `p50 ${percentile(values, 0.5).toFixed(0)} ms, p99 ${percentile(values, 0.99).toFixed(0)} ms, max ${Math.max(...values).toFixed(0)} ms`;
    console.log(
      `${rounds} rounds of fence and commit, ${busy} writers and ${busy} readers of the view, ${((Date.now() - started) / 1000).toFixed(0)} s`,
    );
    console.log(`  fence: ${ms(result.fenceMs)}`);
    console.log(`  fence → committed: ${ms(result.holdMs)}`);
    console.log(
      `  ${result.slipped} slipped reads of ${result.reads}; ${result.writes} writes; ${result.refused.length} refused ${[...new Set(result.refused)].join('; ')}`,
    );
    const source = await sourceFenceRounds(drill, rounds, busy);
    console.log(
      `${rounds} rounds of fence and commit with \`fence: source\`, ${busy} writers of the fenced table`,
    );
    console.log(`  fence: ${ms(source.fenceMs)}`);
    console.log(`  fence → committed: ${ms(source.holdMs)}`);
    console.log(
      `  ${source.slipped} slipped writes of ${source.writes}; ${source.held} held, ${source.broken.length} broken; ${source.refused.length} refused ${[...new Set(source.refused)].join('; ')}`,
    );
    for (const [variant, count] of [
      ['real', trials],
      ['one-statement', 200],
      ['no-lock', 200],
    ] as const) {
      const edge = await leaseEdge(drill, count, 20, variant);
      console.log(
        `commits at the expiry of the fence, ${variant}: ${edge.trials} trials, ${edge.committed} committed, ${edge.takenOver} taken over by a second attempt, ${edge.late} committed after the expiry, ${edge.both} with both accepted`,
      );
    }
  } finally {
    await drill.close();
  }
}
