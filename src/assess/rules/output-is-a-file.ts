// Do consumers get a file or an email?
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const outputIsAFile: Rule = {
  id: 'output-is-a-file',
  rationale:
    'A file that must be delivered at a fixed time remains a batch. A stream would have to produce the same file.',
  ask: ({ process }) => {
    if (!process.consumers?.length) return couldNotTell('no consumers are declared');
    const files = process.consumers.filter((c) => c.through === 'file' || c.through === 'email');
    if (files.length === 0) return notFired('no consumer gets a file or an email');
    const names = files.map((c) => `${c.name} (${c.through})`).join(', ');
    if (files.length === process.consumers.length)
      return fired(1, `every consumer gets a file or an email: ${names}`, { decides: true });
    return fired(0.2, `${names} get a file or an email`, {
      work: `make ${names} read the sink's table, or keep a small export job for them`,
    });
  },
};
