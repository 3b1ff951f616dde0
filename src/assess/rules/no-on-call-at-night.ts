// Is a person on call at night?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const noOnCallAtNight: Rule = {
  id: 'no-on-call-at-night',
  rationale:
    'A stream also runs at night. If no person is on call then, its failures last until a user notices.',
  ask: ({ process }) => {
    if (process.onCall === undefined)
      return couldNotTell('the portfolio does not say who is on call');
    if (process.onCall === 'around-the-clock')
      return notFired('a person is on call around the clock');
    if (process.onCall === 'nobody') return fired(1, 'no person is on call', { decides: true });
    return fired(0.25, 'a person is on call only in office hours', {
      work: 'decide who is on call for the pipeline at night, or that it may stop until morning',
    });
  },
};
