// How important is the result to the company?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const criticality: Rule = {
  id: 'criticality',
  rationale: 'For important results, the work of a proof pays off sooner.',
  ask: ({ process }) => {
    if (!process.criticality) return couldNotTell('no criticality is declared');
    return process.criticality === 'low'
      ? notFired('declared low')
      : fired(process.criticality === 'high' ? 1 : 0.5, `declared ${process.criticality}`);
  },
};
