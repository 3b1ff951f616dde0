// The search attributes of the contract, with the type each is registered as (design: "Contract with the outside").
export const SEARCH_ATTRIBUTES = {
  SluicePhase: 'Keyword',
  SluiceVerdict: 'Keyword',
  SluiceBlocked: 'Keyword',
  SluiceTeam: 'Keyword',
  SluiceSource: 'Keyword',
  SluiceNeedsApproval: 'Bool',
  SluiceLagMs: 'Int',
  SluiceMatchRatio: 'Double',
} as const;
