// Can runs of the batch be seen?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const noRunLog: Rule = {
  id: 'no-run-log',
  part: 'feasibility',
  weight: 1,
  rationale: 'A batch run that starts during the cut-over must be seen. This needs a run log.',
  ask: ({ process, runs }) => {
    if (!process.runs)
      return fired(0.1, 'the portfolio names no run log', {
        work: 'log run_id, cut_at, started_at and finished_at of each run',
      });
    if (!runs.known) return couldNotTell(runs.why);
    return runs.value.unfinished > 1
      ? fired(0.1, `${runs.value.unfinished} runs never finished`, {
          work: 'close the runs that died in the log',
        })
      : notFired(`${runs.value.count} runs on record`);
  },
};
