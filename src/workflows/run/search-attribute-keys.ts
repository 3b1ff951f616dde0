// Defines the contract's search attributes as keys for Temporal's client and workflow APIs.
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  SEARCH_ATTRIBUTES,
  type SearchAttributeName,
} from '../../domain/migration/search-attribute-names.js';

type TypeOf<N extends SearchAttributeName> = Uppercase<(typeof SEARCH_ATTRIBUTES)[N]>;

const key = <N extends SearchAttributeName>(name: N) =>
  defineSearchAttributeKey(name, SEARCH_ATTRIBUTES[name].toUpperCase() as TypeOf<N>);

export const KEYS = {
  phase: key('SluicePhase'),
  verdict: key('SluiceVerdict'),
  blocked: key('SluiceBlocked'),
  team: key('SluiceTeam'),
  source: key('SluiceSource'),
  needsApproval: key('SluiceNeedsApproval'),
  lagMs: key('SluiceLagMs'),
  matchRatio: key('SluiceMatchRatio'),
};
