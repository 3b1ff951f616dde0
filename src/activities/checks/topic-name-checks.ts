// Finds planned topic names that Kafka would refuse.
import type { Check } from '../../domain/evidence/check.js';
import { existingCollisions, nameProblems } from '../../domain/migration/topic-names.js';
import { failed, passed } from '../runtime/make-finding.js';

export function checkTopicNames(planned: readonly string[], existing: readonly string[]): Check {
  const problems = [...nameProblems(planned), ...existingCollisions(planned, existing)];
  if (problems.length === 0) return passed('kafka.topic-names', '', 'Kafka accepts every name');
  return failed(
    'kafka.topic-names',
    '',
    problems.join('; '),
    'choose another connector.topicPrefix or output.topic',
  );
}
