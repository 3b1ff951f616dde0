// Do consumers take files or mails?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const outputIsAFile: Rule = {
  id: 'output-is-a-file',
  part: 'feasibility',
  weight: 2,
  rationale:
    'A file that is delivered at a fixed hour is a batch by contract. A stream would have to produce the same file.',
  ask: ({ process }) => {
    if (!process.consumers?.length) return couldNotTell('no consumers are declared');
    const files = process.consumers.filter((c) => c.through === 'file' || c.through === 'email');
    if (files.length === 0) return notFired('no consumer takes a file or a mail');
    const names = files.map((c) => `${c.name} (${c.through})`).join(', ');
    if (files.length === process.consumers.length)
      return fired(1, `every consumer takes a file or a mail: ${names}`, { decides: true });
    return fired(0.2, `${names} take a file or a mail`, {
      work: `let ${names} read the sink's table, or keep a small export job for them`,
    });
  },
};
