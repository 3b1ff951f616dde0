// What are fresher numbers worth to their readers?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const freshnessWorth: Rule = {
  id: 'freshness-worth',
  part: 'value',
  weight: 2,
  rationale: 'What fresh numbers are worth is for their readers to say.',
  ask: ({ process }) => {
    if (!process.freshness) return couldNotTell('nobody declared what fresher numbers are worth');
    const { value } = process.freshness;
    return value === 'low'
      ? notFired('declared low')
      : fired(value === 'high' ? 1 : 0.5, `declared ${value}`);
  },
};
