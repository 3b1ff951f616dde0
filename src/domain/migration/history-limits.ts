// Decides when a run of a migration continues as new, so that each workflow history stays small.
// Temporal ends a run at 51,200 events or 50 MB, and a worker replays the whole history after a
// restart.

export interface HistorySize {
  readonly historyLength: number;
  readonly historySize: number;
  readonly continueAsNewSuggested: boolean;
}

const MOST_EVENTS = 1500;
const MOST_BYTES = 500_000;

/** Returns true if the run must continue as new at its next safe point. */
export const isLong = ({ historyLength, historySize, continueAsNewSuggested }: HistorySize) =>
  continueAsNewSuggested || historyLength >= MOST_EVENTS || historySize >= MOST_BYTES;
