// Does a consumer read more than once a day?
import { READ_EVERY_MS } from '../facts.js';
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const readOnceADay: Rule = {
  id: 'read-once-a-day',
  rationale:
    'If every consumer reads once a day or less often, no consumer benefits from a stream.',
  ask: ({ process }) => {
    if (!process.consumers?.length) return couldNotTell('no consumers are declared');
    const slow = process.consumers.every((c) => READ_EVERY_MS[c.reads] >= READ_EVERY_MS.daily);
    if (!slow) return notFired('a consumer reads more than once a day');
    return fired(
      1,
      process.consumers.map((c) => `${c.name} (${c.reads})`).join(', ') +
        ': no consumer reads more than once a day',
      { decides: true },
    );
  },
};
