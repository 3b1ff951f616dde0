// Finds topic names that Kafka would refuse. Kafka refuses such a name only when the topic is
// created, and with a short message. Sluice therefore checks names before it creates anything.

const LONGEST = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;

/**
 * Returns the topic's name in Kafka's metrics, where a dot becomes an underscore. Two topics
 * cannot both exist if their names differ only in dots and underscores.
 */
const inMetrics = (topic: string): string => topic.replaceAll('.', '_');

/** Returns a message for each invalid name, and for each pair of names that collide. */
export function nameProblems(topics: readonly string[]): string[] {
  const problems = topics.flatMap((topic) => {
    if (topic.length > LONGEST)
      return [
        `the name of topic ${topic} has ${topic.length} characters, and Kafka allows at most ${LONGEST}`,
      ];
    return LEGAL.test(topic) && topic !== '.' && topic !== '..'
      ? []
      : [`"${topic}" is not a valid topic name`];
  });
  return [...problems, ...topics.flatMap((topic, at) => collisions(topic, topics.slice(0, at)))];
}

/**
 * Returns a message for each planned topic whose name collides with the name of an existing topic.
 */
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
        `topics ${topic} and ${other} would have the same name in Kafka's metrics, and Kafka refuses such a pair`,
    );
}
