// The search attributes and their types. Other tools rely on them.
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

/** Formats attributes as `SluicePhase (Keyword), …`. */
export const describeAttributes = (names: readonly SearchAttributeName[]): string =>
  names.map((name) => `${name} (${SEARCH_ATTRIBUTES[name]})`).join(', ');

/**
 * Returns two commands that register the attributes: one for a self-hosted cluster, and one for
 * Temporal Cloud.
 */
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
