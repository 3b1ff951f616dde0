// Records a window once. If several attempts measured it, the ledger keeps the first record. The
// run receives that record, with the worse verdict if two attempts disagree.
import type { Ledger } from '../../clients/ledger/ledger.js';
import {
  freeNumber,
  recordWindow,
  recordedWindow,
  type WindowRecord,
} from '../../clients/ledger/window-rows.js';
import { auditEvent } from '../../domain/audit.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { worst, type Verdict } from '../../domain/evidence/verdict.js';

/** The run, activity and attempt that measure a window. */
export interface Attempt {
  readonly by: string;
  readonly attempt: number;
}

export interface Answer {
  readonly number: number;
  readonly verdict: Verdict;
  readonly at: string;
}

type WithChain<R> = R & { readonly chain: string };

/**
 * Returns the answer of an earlier attempt if that attempt recorded the window and then died.
 * Otherwise, returns the number under which to record the window.
 */
export async function beginWindow<R extends Answer>(
  ledger: Ledger,
  ref: MigrationRef,
  wanted: number,
  { by }: Attempt,
): Promise<
  { readonly answered: WithChain<R> } | { readonly answered: null; readonly number: number }
> {
  const earlier = await recordedWindow<R>(ledger, ref, wanted);
  if (earlier?.by === by) return { answered: { ...earlier.result, chain: earlier.chain } };
  return { answered: null, number: earlier ? await freeNumber(ledger, ref, wanted) : wanted };
}

/**
 * Adds the window to the ledger's chain of evidence. If another attempt of this activity recorded
 * the window first, that record stays. An audit event then says that the window was repeated. The
 * answer then has the worse of the two verdicts. If another run has used the number, this function
 * throws Problem `unexpected`, and the next attempt takes a new number.
 */
export async function endWindow<R extends Answer>(
  ledger: Ledger,
  ref: MigrationRef,
  record: WindowRecord<R>,
  { by, attempt }: Attempt,
): Promise<WithChain<R>> {
  const { result } = record;
  const chain = await recordWindow(ledger, ref, record, by);
  if (chain !== null) return { ...result, chain };
  const first = await recordedWindow<R>(ledger, ref, result.number);
  if (first?.by !== by)
    throw new Problem(
      'unexpected',
      `window ${result.number} of ${ref.name}, or a later one, was already recorded by another run`,
    );
  const repeated = auditEvent(`window-${result.number}/${attempt}`, result.at, {
    kind: 'window-repeated',
    number: result.number,
    attempt,
    verdict: result.verdict.verdict,
    first: first.result.verdict.verdict,
  });
  await ledger.recordEvents(ref, [repeated]);
  return {
    ...first.result,
    verdict: worst([first.result.verdict, result.verdict]),
    chain: first.chain,
  };
}
