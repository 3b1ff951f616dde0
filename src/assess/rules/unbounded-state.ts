// Does the state of the stream grow with all input?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const unboundedState: Rule = {
  id: 'unbounded-state',
  rationale: 'State that grows with all input needs ever more memory and makes every restart slow.',
  ask: ({ sql }) => {
    if (!sql.known || sql.value.class === 'unknown')
      return couldNotTell(sql.known ? 'the query could not be read' : sql.why);
    const parts = sql.value.blocks.flatMap((b) =>
      b.operators.filter((o) => o.class === 'unbounded state').map((o) => `${b.name}: ${o.detail}`),
    );
    return parts.length > 0
      ? fired(Math.min(0.7, 0.3 + 0.15 * parts.length), parts.join('; '), {
          work: `limit this state in time or by key: ${parts.join('; ')}`,
        })
      : notFired('every operator is stateless or keyed');
  },
};
