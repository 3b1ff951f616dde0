// Does the batch write a run log?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const noRunLog: Rule = {
  id: 'no-run-log',
  rationale:
    'Sluice must see a batch run that starts during the cut-over. Only a run log shows every run.',
  ask: ({ process, runs }) => {
    if (!process.runs)
      return fired(0.1, 'the portfolio names no run log', {
        work: 'log run_id, cut_at, started_at and finished_at of each run',
      });
    if (!runs.known) return couldNotTell(runs.why);
    return runs.value.unfinished > 1
      ? fired(0.1, `${runs.value.unfinished} runs have no finished_at`, {
          work: 'set finished_at of the runs that crashed',
        })
      : notFired(`the run log contains ${runs.value.count} runs`);
  },
};
