// Wraps every activity. Sends its heartbeats, ends an attempt that makes no progress, and turns
// errors into failures with a code. Also records for the metrics when a fence begins and ends.
import { CancelledFailure, Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { KafkaDenied } from '../../clients/kafka/kafka-denied.js';
import { Progress, tracked } from '../../clients/progress.js';
import { durationMs } from '../../domain/values/duration.js';
import { Problem, type FailureCode } from '../../domain/failure.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { classify, toFailure } from './application-failure.js';
import type { Systems } from './deps.js';
import type { Gauges } from './gauges.js';
import { heartbeat, isSetAside } from './poll-until.js';
import { attemptBegins } from './stale-attempt.js';

const BEAT_MS = 2000;
const SET_ASIDE = 'a person paused or reset this activity';
/** The statement limit of an activity that has no spec. */
const USUAL_STATEMENT = '10m';
/**
 * Every client gives up a call that gets no answer within this time. SQL statements have their own
 * limit.
 */
const BEYOND_STATEMENT_MS = 60_000;

/**
 * Returns whether the next attempt must open a new connection to Kafka. A password is read only
 * when a connection opens, so a new connection is the first to use a corrected password. If a
 * different system denies access, the connection to Kafka stays, because other migrations use it
 * too.
 */
const needsNewConnection = (error: unknown, code: unknown): boolean =>
  code === ('unreachable' satisfies FailureCode) || classify(error) instanceof KafkaDenied;

/**
 * Turns an error of an activity into a failure with a code, without values of rows. If a person
 * paused or reset the activity, and this may have changed the attempt's answer, the attempt ends as
 * cancelled. Temporal starts another attempt after the reset, or when the person ends the pause.
 */
export function classifying(systems: Pick<Systems, 'renew'>): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        const result: unknown = await next(input);
        if (isSetAside(false)) throw new CancelledFailure(SET_ASIDE);
        return result;
      } catch (error) {
        if (isSetAside(true)) throw new CancelledFailure(SET_ASIDE);
        const failure = toFailure(error);
        const spec = specOf(input.args);
        if (spec && 'type' in failure && needsNewConnection(error, failure.type))
          systems.renew(spec);
        throw failure;
      }
    },
  };
}

/**
 * Sends heartbeats for every activity that has a heartbeat timeout, but only while the activity
 * makes progress. If the activity makes no progress for too long, the attempt fails as
 * `unreachable`, and Temporal starts another attempt.
 */
export function proving(newProgress = () => new Progress()): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      attemptBegins(Context.current());
      const { heartbeatTimeoutMs, activityType } = Context.current().info;
      if (heartbeatTimeoutMs === undefined) return next(input);
      const progress = newProgress();
      const limitMs = longestSilenceMs(input.args);
      let ticker: NodeJS.Timeout | undefined;
      const hung = new Promise<never>((_resolve, reject) => {
        const beat = (): void => {
          if (progress.silentMs <= limitMs) return heartbeat();
          progress.abandon();
          reject(hangs(activityType, limitMs));
        };
        ticker = setInterval(beat, Math.min(BEAT_MS, heartbeatTimeoutMs / 4));
      });
      try {
        return await Promise.race([tracked(progress, () => next(input)), hung]);
      } finally {
        clearInterval(ticker);
      }
    },
  };
}

/** Records when a fence begins and when it ends, for the metrics. */
export function measuring(gauges: Gauges): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      const result: unknown = await next(input);
      const { activityType } = Context.current().info;
      const { name, spec } = refOf(input.args);
      const isRefused = ((result ?? {}) as { refused?: string | null }).refused !== null;
      if (name === undefined || spec === undefined) return result;
      if (activityType === 'fence' && !isRefused)
        gauges.fenceHeld(name, durationMs(spec.spec.cutover.maxHold));
      if (activityType === 'releaseFence' || (activityType === 'commitCutover' && !isRefused))
        gauges.fenceReleased(name);
      return result;
    },
  };
}

const hangs = (activity: string, limitMs: number): Problem =>
  new Problem(
    'unreachable',
    `${activity} got no answer from any system for more than ${Math.round(limitMs / 60_000)} min, although every call has a shorter limit`,
    'wait, because the next attempt begins by itself; if this happens again, restart the worker and report it',
  );

/** Returns the ref of an activity, or an empty object if the activity has no ref. */
function refOf(args: readonly unknown[]): Partial<MigrationRef> {
  const first = (args[0] ?? {}) as Partial<MigrationRef> & { readonly ref?: Partial<MigrationRef> };
  const ref = first.ref ?? first;
  return ref.spec?.spec === undefined ? {} : ref;
}

const specOf = (args: readonly unknown[]): MigrationSpec | undefined => refOf(args).spec;

/**
 * Returns how long an activity may make no progress. This is the time limit of a statement on the
 * source (`limits.statementTimeout`) plus one minute.
 */
export function longestSilenceMs(args: readonly unknown[]): number {
  return (
    durationMs(specOf(args)?.spec.source.limits.statementTimeout ?? USUAL_STATEMENT) +
    BEYOND_STATEMENT_MS
  );
}
