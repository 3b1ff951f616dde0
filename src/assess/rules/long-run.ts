// Which share of the interval between two runs does a run take?
import { formatMs } from '../../domain/values/duration.js';
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const longRun: Rule = {
  id: 'long-run',
  rationale:
    'The more of its interval a run takes, the sooner growing data makes it too long. A stream spreads the same work over the day.',
  ask: ({ interval, runTime }) => {
    if (!interval.known) return couldNotTell(interval.why);
    if (!runTime.known) return couldNotTell(runTime.why);
    const share = runTime.value / interval.value;
    const evidence = `a run takes ${formatMs(runTime.value)} of every ${formatMs(interval.value)} (${(share * 100).toFixed(1)} %)`;
    return share < 0.05 ? notFired(evidence) : fired(Math.min(1, share * 2), evidence);
  },
};
