// Can Sluice read all SQL of the batch?
import { fired, ifKnown, notFired, type Rule } from './rule.js';

export const queryUnreadable: Rule = {
  id: 'query-unreadable',
  rationale:
    'A query that cannot be read cannot be assessed, and cannot be run again for a comparison.',
  ask: ifKnown('sql', (sql) => {
    const { error, unread, blocks } = sql;
    if (error)
      return fired(0.6, `line ${error.line}, column ${error.column}: ${error.message}`, {
        work: 'provide the batch as SQL that PostgreSQL can parse',
      });
    if (unread.length > 0)
      return fired(0.4, unread.join('; '), {
        work: `write one SELECT that computes the same result as these parts: ${unread.join('; ')}`,
      });
    if (blocks.length === 0)
      return fired(0.6, 'it contains no SELECT over tables', {
        work: 'write the result as one SELECT (batch.query), which every comparison needs',
      });
    return notFired(`${blocks.length} block(s) read`);
  }),
};
