// What are fresher numbers worth to their readers?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const freshnessWorth: Rule = {
  id: 'freshness-worth',
  rationale: 'Only the readers know what fresh numbers are worth.',
  ask: ({ process }) => {
    if (!process.freshness) return couldNotTell('the worth of fresher numbers is not declared');
    const { value } = process.freshness;
    return value === 'low'
      ? notFired('declared low')
      : fired(value === 'high' ? 1 : 0.5, `declared ${value}`);
  },
};
