// Reads the definitions of the views and functions that the spec's queries use. They are facts, on
// which evidence depends. If one of them is replaced, a query may compute something else, so
// earlier windows no longer count.
import type pg from 'pg';
import { analyseSql, loadParser } from '../../../assess/sql/analyse.js';
import type { Facts } from '../../../domain/evidence/epoch.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { stripSemicolon } from '../../../domain/values/strip-semicolon.js';
import { shortDigest } from '../../runtime/short-digest.js';
import { calledBy } from './called-functions.js';
import { viewsNamed } from './query-reads.js';

/** Returns a fact for each query that uses a view, or a function of a user. */
export async function definitionFacts(
  client: pg.ClientBase,
  { batch, capture }: Pick<ResolvedPlan, 'batch' | 'capture'>,
): Promise<Facts> {
  await loadParser();
  const queries = [
    ...(capture.query === null ? [] : [{ name: 'query', sql: capture.query }]),
    ...(batch?.stages ?? []).map(({ name, query }) => ({ name, sql: query.sql })),
    ...(batch ? [{ name: 'result', sql: batch.query.sql }] : []),
  ];
  const facts: Record<string, readonly string[]> = {};
  for (const { name, sql } of queries) {
    const used = await definitionsBehind(client, stripSemicolon(sql));
    if (used.length > 0) facts[`definitions that the query of ${name} uses`] = used;
  }
  return facts;
}

/**
 * Returns the views and functions that a query uses, directly or through others. Each one has the
 * digest of its definition.
 */
async function definitionsBehind(client: pg.ClientBase, query: string): Promise<string[]> {
  const found = new Map<string, string>();
  const texts = [query];
  for (let text = texts.pop(); text !== undefined; text = texts.pop()) {
    const read = analyseSql(text);
    const used = [
      ...(await viewsNamed(client, read.tables)).map((view) => ({
        what: `view ${view.name}`,
        text: view.text,
        digest: shortDigest(view.text),
      })),
      ...(await calledBy(client, read))
        .filter(({ origin }) => origin === 'user')
        .map(({ name, text, digest }) => ({ what: `function ${name}`, text, digest })),
    ];
    for (const one of used) {
      if (found.has(one.what)) continue;
      found.set(one.what, one.digest.slice(0, 12));
      if (one.text !== null) texts.push(one.text);
    }
  }
  return [...found].map(([what, digest]) => `${what} (${digest})`).sort();
}
