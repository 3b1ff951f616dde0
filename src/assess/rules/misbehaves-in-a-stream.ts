// Must the query change before it can be a stream, for example because it uses clocks or random
// values, or lacks an ORDER BY?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const misbehaves: Rule = {
  id: 'misbehaves-in-a-stream',
  rationale:
    'Some constructs, such as clocks, random values or a missing ORDER BY, are harmless once a night, but wrong in a stream.',
  ask: ({ sql }) => {
    if (!sql.known || sql.value.class === 'unknown')
      return couldNotTell(sql.known ? 'the query could not be read' : sql.why);
    const work = sql.value.flags.filter((f) => f.gravity === 'work' && f.id !== 'side-effect');
    if (work.length === 0) return notFired('the query has no construct that must change first');
    return fired(Math.min(0.6, 0.15 * work.length), work.map((f) => f.found).join(', '), {
      work: work.map((f) => `${f.found}: ${f.advice}`).join('; '),
    });
  },
};
