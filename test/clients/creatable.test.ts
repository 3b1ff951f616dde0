// Tests how Sluice asks the brokers which topics they would not create, and how it waits for a new
// topic.
import type { Admin } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { TopicLost } from '../../src/clients/kafka/known-topics.js';
import { notCreatable, served } from '../../src/clients/kafka/topics.js';

const TOPICS = [{ topic: 'a' }, { topic: 'b' }, { topic: 'c' }];
const answering = (answer: () => Promise<boolean>): Admin =>
  ({ createTopics: answer }) as unknown as Admin;

describe('the search for topics that cannot be created', () => {
  it('finds the topics that the brokers would refuse, and ignores topics that exist', async () => {
    const errors = [
      { topic: 'a', type: 'TOPIC_AUTHORIZATION_FAILED', message: 'not authorized' },
      { topic: 'b', type: 'TOPIC_ALREADY_EXISTS', message: 'exists' },
    ];
    const admin = answering(() => Promise.reject(Object.assign(new Error('several'), { errors })));
    expect(await notCreatable(admin, TOPICS)).toEqual([errors[0]]);
  });
  it('finds no topic if the brokers would create all of them', async () => {
    expect(
      await notCreatable(
        answering(() => Promise.resolve(true)),
        TOPICS,
      ),
    ).toEqual([]);
  });
  it('throws if no broker answers', async () => {
    const admin = answering(() => Promise.reject(new Error('no broker answers')));
    await expect(notCreatable(admin, TOPICS)).rejects.toThrow('no broker answers');
  });
});

describe('a new topic', () => {
  it('counts as unreachable, not as lost, if a busy broker does not know it yet', async () => {
    const lost = () => Promise.reject(new TopicLost('new', 'topic new does not exist'));
    await expect(served('new', lost, -1)).rejects.toMatchObject({ code: 'unreachable' });
  });
  it('counts as unreachable if a broker does not serve all of its partitions in time', async () => {
    await expect(served('new', () => Promise.resolve(false), -1)).rejects.toMatchObject({
      code: 'unreachable',
      message: 'no broker serves all partitions of the new topic new yet',
      remedy: expect.stringContaining('kafka-topics --describe --topic new') as string,
    });
  });
  it('is awaited until a broker serves it', async () => {
    const answers = [
      () => Promise.reject(new TopicLost('new', 'topic new does not exist')),
      () => Promise.resolve(false),
      () => Promise.resolve(true),
    ];
    await served('new', () => answers.shift()!());
    expect(answers).toEqual([]);
  });
});
