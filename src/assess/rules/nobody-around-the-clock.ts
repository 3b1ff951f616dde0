// Who answers for it at three in the morning?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const nobodyAroundTheClock: Rule = {
  id: 'nobody-around-the-clock',
  part: 'feasibility',
  weight: 3,
  rationale:
    'A stream runs at three in the morning. Without anybody to answer for it then, its failures last until somebody wonders.',
  ask: ({ process }) => {
    if (process.onCall === undefined) return couldNotTell('nobody declared who is on call');
    if (process.onCall === 'around-the-clock')
      return notFired('somebody is on call around the clock');
    if (process.onCall === 'nobody') return fired(1, 'nobody is on call', { decides: true });
    return fired(0.25, 'on call in office hours only', {
      work: 'agree who answers for the pipeline at night, or that it may stand still until morning',
    });
  },
};
