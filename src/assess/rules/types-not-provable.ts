// Can every column be compared exactly?
import { fired, ifKnown, notFired, type Rule } from './rule.js';

export const typesNotProvable: Rule = {
  id: 'types-not-provable',
  rationale:
    'The spec must exclude a column that cannot be compared exactly, and an approver has to accept that.',
  ask: ifKnown('tables', (tables) => {
    const columns = tables.flatMap((t) => t.unprovable.map((c) => `${t.table}.${c}`));
    return columns.length > 0
      ? fired(Math.min(0.4, columns.length * 0.1), columns.join(', '), {
          work: `cast, drop or ignore by name: ${columns.join(', ')}`,
        })
      : notFired(
          'every column of the tables has a type that can be compared exactly; sluice doctor checks the columns of the query',
        );
  }),
};
