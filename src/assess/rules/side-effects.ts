// Does a run do more than fill its result?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const sideEffects: Rule = {
  id: 'side-effects',
  part: 'feasibility',
  weight: 2,
  rationale:
    'A comparison proves rows. A mail sent or a service called twice is not undone by a roll-back.',
  ask: ({ process, sql }) => {
    const inSql = sql.known
      ? sql.value.flags.filter((f) => f.id === 'side-effect').map((f) => f.found)
      : [];
    const declared = process.sideEffects ?? [];
    const all = [...declared, ...inSql];
    if (all.length > 0)
      return fired(0.4, all.join(', '), { work: `move out of the batch first: ${all.join(', ')}` });
    if (process.sideEffects === undefined)
      return couldNotTell('nobody declared whether a run does more than fill its result');
    return notFired('declared: none');
  },
};
