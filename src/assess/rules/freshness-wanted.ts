// Do readers want fresher numbers than the batch can give?
import { formatMs, durationMs } from '../../domain/values/duration.js';
import { couldNotTell, fired, type Rule } from './rule.js';

export const freshnessWanted: Rule = {
  id: 'freshness-wanted',
  part: 'value',
  weight: 3,
  rationale:
    'A stream pays when its readers want numbers younger than the batch can give them. Where nobody does, it is cost without gain.',
  ask: ({ process, interval, runTime }) => {
    if (!process.freshness) return couldNotTell('nobody declared how fresh the result should be');
    if (!interval.known) return couldNotTell(interval.why);
    const wanted = durationMs(process.freshness.wanted);
    const worst = interval.value + (runTime.known ? runTime.value : 0);
    const evidence = `wanted within ${process.freshness.wanted}, the batch's numbers are up to ${formatMs(worst)} old`;
    if (wanted >= interval.value)
      return fired(0, `${evidence}: the batch is fresh enough`, { decides: true });
    return wanted * 4 > interval.value
      ? fired(0.4, evidence)
      : wanted * 24 > interval.value
        ? fired(0.7, evidence)
        : fired(1, evidence);
  },
};
