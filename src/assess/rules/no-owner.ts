// Is there an owner who decides whether batch or stream is right, and who approves the cut-over?
import { fired, notFired, type Rule } from './rule.js';

export const noOwner: Rule = {
  id: 'no-owner',
  rationale:
    'A person must decide which side is right when batch and stream differ, and must approve the cut-over.',
  ask: ({ process }) =>
    process.owner
      ? notFired(`owned by ${process.owner}`)
      : fired(0.3, 'no owner is declared', { work: 'find an owner who can approve a cut-over' }),
};
