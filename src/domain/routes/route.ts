// A route moves consumers from the batch's result to the stream's. This file defines the facts that
// every route provides.
import type { Contradiction } from '../migration/contradiction.js';
import type { Names, Relation } from '../migration/names.js';
import type { RouteSpec } from '../migration/spec.js';

/** The words that a route adds to the cut-over's steps, for plan, audit and report. */
export interface RouteWords {
  /** Text at the end of the description of the recheck, or empty. */
  readonly recheck: string;
  /** Text at the beginning of the description of the fence, or empty. */
  readonly fence: string;
  /** The work of the commit before it changes the lease row, or empty. */
  readonly commit: string;
  readonly route: string;
  readonly confirm: string;
  /** The advice if consumers do not read the stream after the commit, as an imperative. */
  readonly unexpected: string;
  /** The end of a sentence that says what `sluice rollback` does for consumers after the commit. */
  readonly back: string;
  /** Says what became of the batch's output after `complete`, as a whole sentence. */
  readonly completed: string;
}

/** A privilege or a membership that Sluice's role needs for the route. */
export interface RouteRight {
  readonly why: string;
  /** The check or phase that fails without it. */
  readonly without: string;
}

/** The privileges and memberships that only a migration with this route needs. */
export interface RouteNeeds {
  /** A relation that only its owner can change. */
  readonly owned: { readonly relation: Relation; readonly uses: string } | null;
  /** A schema in which the route creates something. */
  readonly creates: ({ readonly schema: string } & RouteRight) | null;
  /** The role under which the sink writes. */
  readonly actsAs: ({ readonly role: string } & RouteRight) | null;
  /** Relations that Sluice's role looks up by name, so it needs USAGE on their schemas. */
  readonly reads: readonly Relation[];
}

/**
 * Facts about a route, as plain data. The plan, the checks, the workflow and the activities use
 * them.
 */
export interface RouteFacts {
  readonly words: RouteWords;
  /** Sentences for the approvers, one for each guarantee that the route weakens. */
  readonly notes: readonly string[];
  /** SQL comments that `sluice init --sql` prints for the people who run the consumers. */
  readonly consumers: readonly string[];
  readonly needs: RouteNeeds;
  /**
   * True if batch and stream write to one table. The sink then has no separate table at the end.
   */
  readonly sharesTable: boolean;
  /** The table whose trigger refuses the stream before the commit, and the batch afterwards. */
  readonly guarded: Relation | null;
  /** The role under which the batch writes, if the spec names it. */
  readonly batchRole: string | null;
  /** The role under which the sink writes after the commit, if it differs from Sluice's role. */
  readonly streamRole: string | null;
  /** The table that the sink writes to until the commit, if it writes to another one afterwards. */
  readonly staging: Relation | null;
  /** The view through which consumers read. It does not count as a reader of the batch's table. */
  readonly consumersView: Relation | null;
  /**
   * True if the recheck tries both directions of the switch, in a transaction that it rolls back.
   */
  readonly isTried: boolean;
  /** True if the sink is paused before the commit, and writes to a different table after it. */
  readonly movesSink: boolean;
  /** True if Sluice asks an external system to switch after the commit. */
  readonly asksOtherSystem: boolean;
  /**
   * True if runs of the batch would fail after the commit. The batch then stays paused. At
   * `complete`, its role loses the privileges to write to the table.
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

/** Batch and stream write to one table: the batch until the commit, the stream from then on. */
export interface SharedTablePlan extends RouteFacts {
  readonly kind: 'table';
  readonly table: Relation;
  /** The table that the stream writes to until the commit. */
  readonly staging: Relation;
  /**
   * The table for the rows that the commit removes because the stream lacks them. It is kept until
   * `complete`, and a rollback restores its rows.
   */
  readonly kept: Relation;
  readonly batchRole: string;
  readonly streamRole: string;
}

export interface HttpPlan extends RouteFacts {
  readonly kind: 'http';
  readonly url: string;
}

/** The way in which consumers are moved from the batch's result to the stream's. */
export type RoutePlan = NoRoutePlan | ViewPlan | SharedTablePlan | HttpPlan;

/**
 * The parts of a spec that a route can contradict. The schema has accepted the spec, but the other
 * rules have not been checked yet.
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

/**
 * Pure functions that describe a route. The code that switches the consumers is in
 * activities/cutover/routes.
 */
export interface Route<R extends RouteSpec = RouteSpec> {
  /** Returns the plan of the route. Throws for a name that the parser would have refused. */
  plan(route: R, names: Names): RoutePlan;
  contradictions(route: R, spec: RouteContext): Contradiction[];
}

/**
 * The facts of a route that switches nothing. Each route overrides the facts that differ. Each
 * route must also state `asksOtherSystem`, because a forgotten flag would leave consumers on the
 * batch side.
 */
export const PLAIN_FACTS: Omit<RouteFacts, 'words' | 'asksOtherSystem'> = {
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
  refusesBatch: false,
};
