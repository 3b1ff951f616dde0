// A query that is slower with its tables replaced may be canceled by a time limit that the plain
// query keeps. That is a reason to compare in another way, not an error of the window.
import { because, ok, type OrReason } from '../../../../domain/values/or-reason.js';
import { codeOf } from '../../../../domain/values/sqlstate.js';

const QUERY_CANCELED = '57014'; // SQLSTATE

/** Runs the query as of the still point. Returns a reason if Postgres cancels it. */
export async function unlessCanceled<T>(run: () => Promise<T>): Promise<OrReason<T>> {
  try {
    return ok(await run());
  } catch (error) {
    if (codeOf(error) !== QUERY_CANCELED) throw error;
    return because(`the query as of the still point was canceled: ${(error as Error).message}`);
  }
}
