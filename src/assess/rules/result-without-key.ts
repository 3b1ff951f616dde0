// Does the result have a key?
import { fired, notFired, type Rule } from './rule.js';

export const resultWithoutKey: Rule = {
  id: 'result-without-key',
  rationale: 'Rows are compared by key. The rows of a result without a key can only be counted.',
  ask: ({ process, sql }) => {
    if (!process.result)
      return fired(0.3, 'no result table is declared', {
        work: 'name the table that the batch fills, and its key',
      });
    if (process.result.key.length > 0) {
      const columns = sql.known ? sql.value.blocks.at(-1)?.columns : undefined;
      const absent =
        columns && !columns.includes('*') && columns.every((c) => c !== '?column?')
          ? process.result.key.filter((k) => !columns.includes(k))
          : [];
      return absent.length > 0
        ? fired(0.3, `the query has no column ${absent.join(', ')}`, {
            work: 'make the query return the key of the result',
          })
        : notFired(`the key is ${process.result.key.join(', ')}`);
    }
    const key = sql.known ? sql.value.blocks.at(-1)?.key : undefined;
    return key?.length
      ? fired(0.05, 'no key is declared', {
          work: `declare the key; the query groups by ${key.join(', ')}`,
        })
      : fired(0.3, 'no key is declared, and the query has no key', {
          work: 'give the result a key',
        });
  },
};
