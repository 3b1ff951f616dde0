// How much must be captured, carried and computed a day?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

const HEAVY_CHANGES_PER_DAY = 50_000_000;

export const changeRate: Rule = {
  id: 'change-rate',
  part: 'feasibility',
  weight: 2,
  rationale:
    'What changes must be captured, carried and computed all day: more than some 600 changes a second needs more than one partition and one task.',
  ask: ({ tables }) => {
    if (!tables.known) return couldNotTell(tables.why);
    const rates = tables.value.map((t) =>
      t.perDay ? t.perDay.inserted + t.perDay.updated + t.perDay.deleted : null,
    );
    if (rates.some((r) => r === null))
      return couldNotTell('the statistics do not say how the tables change');
    const total = rates.reduce<number>((sum, r) => sum + r!, 0);
    const evidence = `${Math.round(total).toLocaleString('en')} changes a day`;
    return total > HEAVY_CHANGES_PER_DAY
      ? fired(0.3, evidence, { work: 'plan partitions, and measure with a proof on a slice' })
      : notFired(evidence);
  },
};
