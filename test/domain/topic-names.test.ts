import { describe, expect, it } from 'vitest';
import { checkTopicNames } from '../../src/activities/checks/topic-name-checks.js';
import { existingCollisions, nameProblems } from '../../src/domain/migration/topic-names.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { aSpecInput } from '../support/builders.js';

describe('names of topics', () => {
  it('collide with each other or with an existing topic if only dots and underscores differ', () => {
    expect(
      existingCollisions(
        ['a.public.orders'],
        ['a_public_orders', 'a.public.orders', 'a-public-orders'],
      ),
    ).toEqual([
      expect.stringContaining(
        'topics a.public.orders and a_public_orders would have the same name',
      ),
    ]);
    expect(nameProblems(['a.b_c', 'a_b.c'])).toEqual([
      expect.stringContaining('topics a_b.c and a.b_c would have the same name'),
    ]);
    expect(checkTopicNames(['a.b'], ['a_b'])).toMatchObject({
      status: 'failed',
      name: 'kafka.topic-names',
    });
    expect(checkTopicNames(['a.b'], ['a.b', 'a-b'])).toMatchObject({ status: 'passed' });
  });

  it('are reported if they are too long or invalid', () => {
    expect(nameProblems(['x'.repeat(249)])).toEqual([]);
    expect(nameProblems(['x'.repeat(250)])).toEqual([
      expect.stringContaining('has 250 characters, and Kafka allows at most 249'),
    ]);
    expect(nameProblems(['.', 'a b', 'ü'])).toHaveLength(3);
  });
});

describe('a spec', () => {
  const problems = (tables: string[], spec: Record<string, unknown>): string[] => {
    const parsed = parseSpecObject(aSpecInput({ name: 'bank', tables, spec }));
    return parsed.ok ? [] : parsed.problems.map((problem) => problem.message);
  };
  const connector = (topicPrefix: string) => ({
    connector: { type: 'debezium-postgres', url: 'http://127.0.0.1:8083', topicPrefix },
  });

  it('is refused if the name of a table, or of a topic up to generation 99, is too long, or topics collide', () => {
    expect(problems(['public.orders'], connector('p'.repeat(130)))).toContainEqual(
      expect.stringMatching(
        /^the name of topic p+\.g99\.heartbeat\.p+\.g99 has \d+ characters, and Kafka allows at most 249/,
      ),
    );
    expect(problems(['public.orders'], connector('p'.repeat(100)))).toEqual([]);
    expect(problems(['public.a_b', '"public.a".b'], {})).not.toEqual([]);
    expect(problems([`public.${'t'.repeat(64)}`], {})).toContainEqual(
      expect.stringContaining('more than 63 bytes'),
    );
  });
});
