// Lists every rule, in the order in which a report shows them.
import { changeRate } from './change-rate.js';
import { criticality } from './criticality.js';
import { freshnessWanted } from './freshness-wanted.js';
import { freshnessWorth } from './freshness-worth.js';
import { longRun } from './long-run.js';
import { misbehaves } from './misbehaves-in-a-stream.js';
import { noOwner } from './no-owner.js';
import { noRunLog } from './no-run-log.js';
import { nobodyAroundTheClock } from './nobody-around-the-clock.js';
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
import type { Rule } from './rule.js';

export const RULES: readonly Rule[] = [
  freshnessWanted,
  freshnessWorth,
  readersOutpaceBatch,
  longRun,
  criticality,
  readOnceADay,
  outputIsAFile,
  nobodyAroundTheClock,
  noOwner,
  sideEffects,
  queryUnreadable,
  notStreamable,
  unboundedState,
  misbehaves,
  sourceOffersCdc,
  tablesWithoutKey,
  typesNotProvable,
  wholeInputEachTime,
  resultWithoutKey,
  noRunLog,
  changeRate,
];
