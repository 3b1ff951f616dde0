// Lists every rule with its part and weight, in the order in which a report shows them.
import { changeRate } from './change-rate.js';
import { criticality } from './criticality.js';
import { freshnessWanted } from './freshness-wanted.js';
import { freshnessWorth } from './freshness-worth.js';
import { longRun } from './long-run.js';
import { misbehaves } from './misbehaves-in-a-stream.js';
import { noOwner } from './no-owner.js';
import { noRunLog } from './no-run-log.js';
import { noOnCallAtNight } from './no-on-call-at-night.js';
import { notStreamable } from './not-streamable.js';
import { outputIsAFile } from './output-is-a-file.js';
import { queryUnreadable } from './query-unreadable.js';
import { readOnceADay } from './read-once-a-day.js';
import { readersOutpaceBatch } from './readers-outpace-batch.js';
import { resultWithoutKey } from './result-without-key.js';
import { sideEffects } from './side-effects.js';
import { sourceOffersCdc } from './source-cannot-offer-cdc.js';
import { tablesWithoutKey } from './tables-without-key.js';
import { typesNotProvable } from './types-not-provable.js';
import { unboundedState } from './unbounded-state.js';
import { wholeInputEachTime } from './whole-input-each-time.js';
import type { Rule, WeighedRule } from './rule.js';

const value = (weight: number, rule: Rule): WeighedRule => ({ ...rule, part: 'value', weight });
const feasibility = (weight: number, rule: Rule): WeighedRule => ({
  ...rule,
  part: 'feasibility',
  weight,
});

export const RULES: readonly WeighedRule[] = [
  value(3, freshnessWanted),
  value(2, freshnessWorth),
  value(2, readersOutpaceBatch),
  value(1, longRun),
  value(1, criticality),
  feasibility(3, readOnceADay),
  feasibility(2, outputIsAFile),
  feasibility(3, noOnCallAtNight),
  feasibility(2, noOwner),
  feasibility(2, sideEffects),
  feasibility(3, queryUnreadable),
  feasibility(4, notStreamable),
  feasibility(2, unboundedState),
  feasibility(2, misbehaves),
  feasibility(4, sourceOffersCdc),
  feasibility(3, tablesWithoutKey),
  feasibility(1, typesNotProvable),
  feasibility(4, wholeInputEachTime),
  feasibility(2, resultWithoutKey),
  feasibility(1, noRunLog),
  feasibility(2, changeRate),
];
