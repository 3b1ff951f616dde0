// Lists batch queries with limits and window functions, in the form of corpus.ts. Some of them
// leave the order of rows open, so each run may give a different result.
import type { Entry } from './corpus.js';

export const ORDER_CORPUS: readonly Entry[] = [
  ['SELECT id, amount FROM pay ORDER BY amount', [], 'stateless'],
  [
    'SELECT id, amount FROM pay ORDER BY amount DESC LIMIT 10',
    ['limit-over-all'],
    'unbounded state',
  ],
  [
    'SELECT top.id FROM (SELECT id FROM pay ORDER BY amount DESC LIMIT 10) AS top',
    ['limit-over-all'],
    'unbounded state',
  ],
  [
    'SELECT s.id, top.amount FROM stores s, LATERAL (SELECT amount FROM pay p WHERE p.store = s.id ORDER BY amount DESC LIMIT 3) AS top',
    ['lateral'],
    'unbounded state',
  ],
  ['SELECT id FROM pay LIMIT 10', ['limit-without-order'], 'unbounded state'],
  ['SELECT id FROM pay OFFSET 10', ['limit-without-order'], 'unbounded state'],
  [
    'SELECT id, (SELECT price FROM prices p WHERE p.sku = i.sku LIMIT 1) AS price FROM items i',
    ['limit-without-order'],
    'keyed state',
  ],
  [
    'SELECT id FROM items i WHERE EXISTS (SELECT 1 FROM prices p WHERE p.sku = i.sku LIMIT 1)',
    [],
    'keyed state',
  ],
  [
    'SELECT DISTINCT ON (customer) customer, amount FROM pay ORDER BY customer',
    ['limit-without-order'],
    'keyed state',
  ],
  ['SELECT DISTINCT ON (customer) customer FROM pay', [], 'keyed state'],
  [
    'SELECT id, row_number() OVER (PARTITION BY store) FROM pay',
    ['window-without-order'],
    'unbounded state',
  ],
  [
    'SELECT id, last_value(amount) OVER (w ORDER BY ts) FROM pay WINDOW w AS (PARTITION BY store)',
    [],
    'unbounded state',
  ],
  ['SELECT id, sum(amount) OVER (PARTITION BY store) FROM pay', [], 'unbounded state'],
  ["SELECT id, pg_notify('paid', id::text) FROM pay", ['side-effect'], 'stateless'],
  ['SELECT id, rank() OVER (ORDER BY amount) FROM pay', ['window-unpartitioned'], 'not streamable'],
  ['SELECT id, sum(amount) OVER () FROM pay', ['window-unpartitioned'], 'not streamable'],
  [
    'SELECT id, row_number() OVER (PARTITION BY store ORDER BY amount) FROM pay',
    [],
    'unbounded state',
  ],
  [
    'SELECT id, lag(amount) OVER w FROM pay WINDOW w AS (PARTITION BY store ORDER BY ts)',
    [],
    'unbounded state',
  ],
];
