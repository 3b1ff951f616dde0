// How many changes must be captured, transported and computed each day?
import { couldNotTell, fired, ifKnown, notFired, type Rule } from './rule.js';

const HEAVY_CHANGES_PER_DAY = 50_000_000;

export const changeRate: Rule = {
  id: 'change-rate',
  rationale:
    'Every change must be captured, transported and computed. More than about 600 changes a second need more than one partition and one task.',
  ask: ifKnown('tables', (tables) => {
    const rates = tables.map((t) =>
      t.perDay ? t.perDay.inserted + t.perDay.updated + t.perDay.deleted : null,
    );
    if (rates.some((r) => r === null))
      return couldNotTell('the statistics do not show how the tables change');
    const total = rates.reduce<number>((sum, r) => sum + r!, 0);
    const evidence = `${Math.round(total).toLocaleString('en')} changes a day`;
    return total > HEAVY_CHANGES_PER_DAY
      ? fired(0.3, evidence, {
          work: 'plan partitions, and measure the rate with sluice prove on a slice',
        })
      : notFired(evidence);
  }),
};
