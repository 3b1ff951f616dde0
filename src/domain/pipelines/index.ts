// The hosts of pipelines. A spec names one of these hosts, and this file has the facts about each
// host.
import { ksqlPlan } from './ksql-statements.js';
import type { Names } from '../migration/names.js';
import type { MigrationSpec, PipelineSpec } from '../migration/spec.js';
import { splitStatements, startsJob } from './split-statements.js';
import { Registry } from '../values/adapter-registry.js';

/** The place where the pipeline runs, as plain data. */
export interface HostPlan {
  readonly kind: 'none' | 'external' | 'flink' | 'ksqldb';
  /**
   * The URL of the system that runs the jobs. The ledger names the place of a job by this URL. Null
   * if Sluice deploys nothing.
   */
  readonly url: string | null;
  /**
   * The names of the Flink jobs, or of ksqlDB's streams and tables, that Sluice deploys. Sluice
   * finds them again by these names.
   */
  readonly jobs: readonly string[];
  /** The spec's consumer groups, if Sluice deploys the pipeline. Otherwise empty. */
  readonly groups: readonly string[];
  /**
   * True if a later generation waits until the pipeline's owner has moved the pipeline to the new
   * topics.
   */
  readonly isMovedByOwner: boolean;
  /** The reason why `sluice prove` cannot run this pipeline on a slice. Null if it can. */
  readonly refusesProof: string | null;
}

/** Pure facts about a host. The code that contacts the host is in activities/pipelines. */
interface Host {
  plan(pipeline: PipelineSpec, names: Names): HostPlan;
  /**
   * The key of the pipeline's spec that says where Sluice deploys the pipeline. Null if Sluice
   * deploys nothing.
   */
  readonly place: { readonly key: 'gateway' | 'url'; readonly is: string } | null;
  /** Keys of the pipeline's spec that belong to other hosts. */
  readonly foreign: readonly ('gateway' | 'url' | 'statements')[];
  /**
   * True if the spec must name the consumer groups that read for the pipeline. If false, Sluice
   * gets their names from the host.
   */
  readonly needsGroups: boolean;
}

const DEPLOYED = { isMovedByOwner: false, refusesProof: null } as const;

export const HOSTS = new Registry<PipelineSpec['type'], Host>('pipeline host', {
  external: {
    plan: () => ({
      kind: 'external',
      url: null,
      jobs: [],
      groups: [],
      isMovedByOwner: true,
      refusesProof: null,
    }),
    place: null,
    foreign: ['gateway', 'url', 'statements'],
    needsGroups: true,
  },
  'flink-sql': {
    plan: ({ gateway, groups, statements }, names) => ({
      ...DEPLOYED,
      kind: 'flink',
      url: gateway!,
      jobs: flinkJobs(statements, names),
      groups,
    }),
    place: { key: 'gateway', is: 'gateway: the URL of the SQL Gateway' },
    foreign: ['url'],
    needsGroups: true,
  },
  ksqldb: {
    plan: ({ url, statements, groups }) => ({
      ...DEPLOYED,
      kind: 'ksqldb',
      url: url!,
      jobs: ksqlPlan(statements!.sql).statements.map(({ name }) => name),
      groups,
      refusesProof:
        'a proof cannot deploy ksqlDB statements, because their streams and tables would have the same names as those of the migration. For the proof, use a pipeline of type external or flink-sql',
    }),
    place: { key: 'url', is: 'url: the REST API of ksqlDB' },
    foreign: ['gateway'],
    needsGroups: false,
  },
});

/**
 * Returns the host of a spec's pipeline. Throws for statements that the parser would have refused.
 */
export function hostPlan({ spec: { pipeline } }: MigrationSpec, names: Names): HostPlan {
  if (!pipeline) return { ...DEPLOYED, kind: 'none', url: null, jobs: [], groups: [] };
  return HOSTS.of(pipeline.type).plan(pipeline, names);
}

/** Returns the names of the Flink jobs: one for each statement that starts a job. */
export function flinkJobs(statements: PipelineSpec['statements'], names: Names): string[] {
  if (!statements) return [];
  const count = splitStatements(statements.sql).filter(startsJob).length;
  const base = `sluice-${names.connector}`;
  return count <= 1 ? [base] : Array.from({ length: count }, (_, at) => `${base}-${at + 1}`);
}
