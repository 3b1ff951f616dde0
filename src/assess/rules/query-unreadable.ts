// Could all of the batch be read?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const queryUnreadable: Rule = {
  id: 'query-unreadable',
  part: 'feasibility',
  weight: 3,
  rationale: 'What cannot be read cannot be judged, nor re-computed for a comparison.',
  ask: ({ sql }) => {
    if (!sql.known) return couldNotTell(sql.why);
    const { error, unread, blocks } = sql.value;
    if (error)
      return fired(0.6, `line ${error.line}, column ${error.column}: ${error.message}`, {
        work: 'give the batch as SQL that PostgreSQL parses',
      });
    if (unread.length > 0)
      return fired(0.4, unread.join('; '), {
        work: `write as one SELECT what these parts compute: ${unread.join('; ')}`,
      });
    if (blocks.length === 0)
      return fired(0.6, 'it holds no SELECT over tables', {
        work: 'write the result as one SELECT (batch.query): without it nothing can be compared',
      });
    return notFired(`${blocks.length} block(s) read`);
  },
};
