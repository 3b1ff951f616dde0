// Does a run of the batch do more than fill the result table?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const sideEffects: Rule = {
  id: 'side-effects',
  rationale: 'A comparison proves only rows. A rollback cannot undo an email or a service call.',
  ask: ({ process, sql }) => {
    const inSql = sql.known
      ? sql.value.flags.filter((f) => f.id === 'side-effect').map((f) => f.found)
      : [];
    const declared = process.sideEffects ?? [];
    const all = [...declared, ...inSql];
    if (all.length > 0)
      return fired(0.4, all.join(', '), {
        work: `move this out of the batch first: ${all.join(', ')}`,
      });
    if (process.sideEffects === undefined)
      return couldNotTell('side effects of a run are not declared');
    return notFired('declared: none');
  },
};
