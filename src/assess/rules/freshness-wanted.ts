// Do readers want fresher numbers than the batch can give?
import { formatMs, durationMs } from '../../domain/values/duration.js';
import { couldNotTell, fired, type Rule } from './rule.js';

export const freshnessWanted: Rule = {
  id: 'freshness-wanted',
  rationale:
    'A stream pays off if its readers want fresher numbers than the batch can give. Otherwise, it is cost without benefit.',
  ask: ({ process, interval, runTime }) => {
    if (!process.freshness) return couldNotTell('the wanted freshness is not declared');
    if (!interval.known) return couldNotTell(interval.why);
    const wanted = durationMs(process.freshness.wanted);
    const worst = interval.value + (runTime.known ? runTime.value : 0);
    const evidence = `wanted within ${process.freshness.wanted}; the batch's numbers are up to ${formatMs(worst)} old${runTime.known ? '' : ', plus the unknown time of a run'}`;
    if (wanted >= interval.value)
      return fired(0, `${evidence}: the batch is fresh enough`, { decides: true });
    return wanted * 4 > interval.value
      ? fired(0.4, evidence)
      : wanted * 24 > interval.value
        ? fired(0.7, evidence)
        : fired(1, evidence);
  },
};
