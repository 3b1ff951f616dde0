// Would a stream have to read the whole input again for each change?
import { couldNotTell, fired, ifKnown, notFired, type Rule } from './rule.js';

export const notStreamable: Rule = {
  id: 'not-streamable',
  rationale:
    'Some results need all of their input each time. A stream would have to run the whole batch for each change.',
  ask: ifKnown('sql', (sql) => {
    if (sql.class === 'unknown') return couldNotTell('the query could not be read');
    const blocking = sql.flags.filter((f) => f.gravity === 'blocks');
    const operators = sql.blocks.flatMap((b) =>
      b.operators.filter((o) => o.class === 'not streamable').map((o) => `${b.name}: ${o.detail}`),
    );
    const why = [...operators, ...blocking.map((f) => `${f.found}: ${f.why}`)];
    return why.length > 0
      ? fired(1, [...new Set(why)].join('; '), { decides: true })
      : notFired(`the hardest part of the query is: ${sql.class}`);
  }),
};
