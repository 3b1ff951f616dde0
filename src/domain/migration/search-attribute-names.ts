// Lists the search attributes with the type that each is registered as. Dashboards and scripts
// depend on them, so neither names nor types change within v1alpha1.
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

export type SearchAttributeName = keyof typeof SEARCH_ATTRIBUTES;
export const SEARCH_ATTRIBUTE_NAMES = Object.keys(SEARCH_ATTRIBUTES) as SearchAttributeName[];

/** `SluicePhase (Keyword), …` */
export const describeAttributes = (names: readonly SearchAttributeName[]): string =>
  names.map((name) => `${name} (${SEARCH_ATTRIBUTES[name]})`).join(', ');

/** Two commands that register them: for a cluster of one's own, and for Temporal Cloud. */
export function registerCommands(
  namespace: string,
  names: readonly SearchAttributeName[],
): string[] {
  const own = names.map((name) => `--name ${name} --type ${SEARCH_ATTRIBUTES[name]}`).join(' ');
  const cloud = names
    .map((name) => `--search-attribute "${name}=${SEARCH_ATTRIBUTES[name]}"`)
    .join(' ');
  return [
    `your own cluster: temporal operator search-attribute create --namespace ${namespace} ${own}`,
    `Temporal Cloud: tcld namespace search-attributes add --namespace ${namespace} ${cloud}`,
  ];
}
