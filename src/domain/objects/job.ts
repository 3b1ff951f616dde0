// Describes the jobs of a pipeline that Sluice deploys. These are Flink's jobs, or ksqlDB's streams
// and tables.
import type { KindPlan } from './owned-kind.js';

export const jobKind = {
  label: 'job',
  undo: 'removeJob',
  planned: ({ host: { url, jobs } }) =>
    url === null ? [] : jobs.map((name) => ({ kind: 'job', name, where: url }) as const),
  atComplete: () => 'keep',
} as const satisfies KindPlan;
