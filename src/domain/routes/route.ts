// A route moves consumers from the batch's result to the stream's. This is what every route says
// about itself.
import type { Relation } from '../migration/names.js';
import type { MigrationSpec, RouteSpec } from '../migration/spec.js';

/** The words that a route adds to the cut-over's steps, for plan, audit and report. */
export interface RouteWords {
  /** An addition to the recheck, or empty. */
  readonly recheck: string;
  /** The beginning of the fence's text, or empty. */
  readonly fence: string;
  /** The commit's work before the lease row, or empty. */
  readonly commit: string;
  readonly route: string;
  readonly confirm: string;
  /** What to look for if consumers do not read the stream after the commit. */
  readonly unexpected: string;
  /** Says after the commit what `sluice rollback` does for consumers, as the end of a sentence. */
  readonly back: string;
  /** Says what became of the batch's output after `complete`, as a whole sentence. */
  readonly completed: string;
}

/** A right that our role needs for the route. */
export interface RouteRight {
  readonly why: string;
  /** The check or phase that fails without it. */
  readonly without: string;
}

/** Rights in the source database that a route needs beside those of every migration. */
export interface RouteNeeds {
  /** A relation that only its owner can change. */
  readonly owned: { readonly relation: Relation; readonly uses: string } | null;
  /** A schema in which the route creates something. */
  readonly creates: ({ readonly schema: string } & RouteRight) | null;
  /** A role as which the sink writes. */
  readonly actsAs: ({ readonly role: string } & RouteRight) | null;
  /** Relations that our role reads by name. */
  readonly reads: readonly Relation[];
}

/**
 * The answers of a route to the questions that plan, checks, workflow and activities ask. Plain
 * data.
 */
export interface RouteFacts {
  readonly words: RouteWords;
  /** Guarantees that the route weakens, in words for the people who approve. */
  readonly notes: readonly string[];
  /** Comments for consumers, for the list of grants. */
  readonly consumers: readonly string[];
  readonly needs: RouteNeeds;
  /** Batch and stream write one table, so that the sink has no table of its own at the end. */
  readonly sharesTable: boolean;
  /** A table that refuses the writes of the side that does not own it, from the fence on. */
  readonly guarded: Relation | null;
  /** The role as which the batch writes, where the spec says it. */
  readonly batchRole: string | null;
  /** The role as which the sink writes from the commit on, where it is another one. */
  readonly streamRole: string | null;
  /** The table that the sink writes until the commit, where it is another one. */
  readonly staging: Relation | null;
  /** The view through which consumers read, which is no reader of the old output. */
  readonly consumersView: Relation | null;
  /** The recheck tries the switch and the rollback in a transaction that it ends by ROLLBACK. */
  readonly isTried: boolean;
  /** The sink is paused before the commit, and writes another table after it. */
  readonly movesSink: boolean;
  /** True when another system is asked to switch after the commit. */
  readonly isOrdered: boolean;
  /**
   * Runs of the batch would fail after the commit, so the batch stays paused, and loses its rights
   * at `complete`.
   */
  readonly refusesBatch: boolean;
}

export interface NoRoutePlan extends RouteFacts {
  readonly kind: 'none';
}

export interface ViewPlan extends RouteFacts {
  readonly kind: 'view';
  readonly view: Relation;
  readonly batch: Relation;
  readonly stream: Relation;
}

/** Batch and stream write one table: the batch until the commit, the stream from then on. */
export interface SharedTablePlan extends RouteFacts {
  readonly kind: 'table';
  readonly table: Relation;
  /** The table that the stream writes until the commit. */
  readonly staging: Relation;
  /** Rows that the stream lacks, kept from the commit until `complete` for a rollback. */
  readonly kept: Relation;
  readonly batchRole: string;
  readonly streamRole: string;
}

export interface HttpPlan extends RouteFacts {
  readonly kind: 'http';
  readonly url: string;
}

/** The way consumers are moved from the batch's result to the stream's. */
export type RoutePlan = NoRoutePlan | ViewPlan | SharedTablePlan | HttpPlan;

/** Parts of a spec that contradict each other: where, and why. */
export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * The parts of a spec that a route can contradict. The spec has its shape, but is not checked yet.
 */
export interface RouteContext {
  readonly batch?: { readonly result: { readonly table: string } } | undefined;
  readonly sink?: { readonly table: string } | undefined;
  readonly source: {
    readonly tables: readonly string[];
    readonly postgres: { readonly user: string };
  };
  readonly validation: { readonly closedKeys: string };
}

/** The pure half of a route. The half with effects is in activities/cutover/routes. */
export interface Route<R extends RouteSpec = RouteSpec> {
  /** Throws for a name that the parser would have refused. */
  plan(route: R, spec: MigrationSpec): RoutePlan;
  contradictions(route: R, spec: RouteContext): Contradiction[];
}

/** The facts of a route that switches nothing. Each route overrides those in which it differs. */
export const PLAIN_FACTS: Omit<RouteFacts, 'words'> = {
  notes: [],
  consumers: [],
  needs: { owned: null, creates: null, actsAs: null, reads: [] },
  sharesTable: false,
  guarded: null,
  batchRole: null,
  streamRole: null,
  staging: null,
  consumersView: null,
  isTried: false,
  movesSink: false,
  isOrdered: false,
  refusesBatch: false,
};

/** Collects contradictions; paths are below `spec`. */
export function contradictionList(): {
  readonly found: Contradiction[];
  readonly add: (message: string, ...path: (string | number)[]) => void;
} {
  const found: Contradiction[] = [];
  return {
    found,
    add: (message, ...path) => void found.push({ path: ['spec', ...path], message }),
  };
}
