// Names of topics that Kafka refuses. PURE. It says so only when a topic is made, and then little:
// so we say it before anything is.

const LONGEST = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;

/**
 * Kafka's metrics write a dot as an underscore: two names that differ in nothing else cannot both
 * be topics.
 */
const inMetrics = (topic: string): string => topic.replaceAll('.', '_');

/** Returns the problems of these names, alone and between them. */
export function nameProblems(topics: readonly string[]): string[] {
  const problems = topics.flatMap((topic) => {
    if (topic.length > LONGEST)
      return [`topic ${topic} has ${topic.length} characters > ${LONGEST} that Kafka allows`];
    return LEGAL.test(topic) && topic !== '.' && topic !== '..'
      ? []
      : [`"${topic}" is no name of a topic`];
  });
  return [...problems, ...topics.flatMap((topic, at) => collisions(topic, topics.slice(0, at)))];
}

/** The planned topics that the cluster would refuse because of one that is there. */
export const existingCollisions = (
  planned: readonly string[],
  existing: readonly string[],
): string[] => planned.flatMap((topic) => collisions(topic, existing));

function collisions(topic: string, others: readonly string[]): string[] {
  const name = inMetrics(topic);
  return others
    .filter((other) => other !== topic && inMetrics(other) === name)
    .map(
      (other) =>
        `topic ${topic} would have the name of topic ${other} in Kafka's metrics, and Kafka refuses such a pair`,
    );
}
