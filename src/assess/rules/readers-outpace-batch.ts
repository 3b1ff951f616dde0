// Do consumers read more often than the batch runs?
import { READ_EVERY_MS } from '../facts.js';
import { formatMs } from '../../domain/values/duration.js';
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const readersOutpaceBatch: Rule = {
  id: 'readers-outpace-batch',
  rationale:
    'A consumer that reads more often than the batch runs gets the same numbers several times.',
  ask: ({ process, interval }) => {
    if (!process.consumers?.length) return couldNotTell('no consumers are declared');
    if (!interval.known) return couldNotTell(interval.why);
    const faster = process.consumers.filter(
      (c) => READ_EVERY_MS[c.reads] < interval.value && c.through !== 'file',
    );
    if (faster.length === 0)
      return notFired(`no consumer reads more often than every ${formatMs(interval.value)}`);
    return fired(
      Math.min(1, 0.5 + faster.length / process.consumers.length / 2),
      `${faster.map((c) => `${c.name} (${c.reads})`).join(', ')} read more often than the batch runs (every ${formatMs(interval.value)})`,
    );
  },
};
