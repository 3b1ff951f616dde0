// Lists the flags that the analysis of a batch's SQL can raise. Each flag has its gravity, its
// meaning and its advice.

/**
 * `blocks`: the batch cannot become a stream. `work`: the construct must be changed first. `care`:
 * people must know about the construct.
 */
export type Gravity = 'blocks' | 'work' | 'care';

export const FLAGS = {
  now: [
    'work',
    'the result changes although no row changed',
    'derive the time from the data, or make the date a column that a job writes',
  ],
  volatile: [
    'work',
    'the same input gives a different result each time',
    'compute the value when the row is written, not when it is read',
  ],
  'local-time': [
    'work',
    "the result depends on the session's time zone",
    'write AT TIME ZONE with the intended zone',
  ],
  'limit-over-all': [
    'work',
    'any change can change which rows are the first n',
    'keep the top n per key, or rank when the result is read',
  ],
  'limit-without-order': ['work', 'the kept rows are arbitrary', 'add ORDER BY over a unique key'],
  'window-without-order': [
    'work',
    'the order of the rows in a window is arbitrary',
    'add ORDER BY over a unique key to the window',
  ],
  'distinct-unbounded': [
    'care',
    'every row must be counted, because its last copy may be deleted',
    'group by the intended key, or limit the rows to a period',
  ],
  'full-outer-join': [
    'care',
    'rows without a partner wait forever on either side, and NULL keys never match',
    'union the keys first, then left join twice',
  ],
  'outer-no-key': [
    'work',
    'an outer join without an equality keeps and re-reads all rows',
    'join on a key',
  ],
  'cross-join': [
    'work',
    'every row is joined with every row',
    'join on a key, or broadcast the small side',
  ],
  'float-sum': [
    'care',
    'a sum of floating-point numbers depends on the order of its rows',
    'sum numeric, or declare a tolerance',
  ],
  'unordered-aggregate': [
    'work',
    'the order inside the list is arbitrary',
    'add ORDER BY inside the aggregate',
  ],
  'ordered-set': [
    'care',
    'every value of a key is kept',
    'bound the group in time, or agree on an approximation',
  ],
  'window-unpartitioned': [
    'blocks',
    'numbering or running totals over all rows: one late row changes every row after it',
    'add PARTITION BY to the window',
  ],
  recursive: [
    'blocks',
    'the state of a recursion is unbounded',
    'compute the closure when the rows are written, and store it',
  ],
  'reads-own-output': [
    'work',
    'it reads the output of its last run, which is a loop',
    'keep the running value as state of the pipeline',
  ],
  'not-in': ['care', 'NOT IN is empty as soon as the inner side has a NULL', 'use NOT EXISTS'],
  tablesample: [
    'blocks',
    'a random sample cannot be compared',
    'take the sample by a hash of the key',
  ],
  'system-catalog': [
    'work',
    'the catalog is not captured by CDC',
    "write the catalog's values into the pipeline's configuration",
  ],
  lateral: [
    'care',
    'it runs a query for each row of the left side',
    'turn it into a join with a ranking per key',
  ],
  'grouping-sets': [
    'care',
    'it computes several results at once, and each needs its own topic',
    'make one pipeline stage per grouping',
  ],
  'select-star': ['care', 'a new column of a table changes the result', 'name the columns'],
  'row-lock': ['care', 'it locks rows, which a stream does not do', 'drop FOR UPDATE'],
  'side-effect': [
    'work',
    'it changes more than its result',
    'move the effect elsewhere before the batch is retired',
  ],
  'unknown-function': [
    'care',
    'the text of the function was not read, so it may read tables or the clock',
    'check what it does, or provide its text to assess',
  ],
} as const satisfies Record<string, readonly [Gravity, string, string]>;

export type FlagId = keyof typeof FLAGS;
