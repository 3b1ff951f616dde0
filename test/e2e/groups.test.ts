// Tests consumer groups of every protocol on a real broker: their descriptions, and a drain that
// waits for the slowest group.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPipeline } from '../../examples/daily-revenue/pipeline.js';
import type { Note } from '../../src/activities/barrier/connector-acknowledged.js';
import { pipelineDrained } from '../../src/activities/barrier/consumers-drained.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { groupIdentity } from '../../src/activities/windows/part-identity.js';
import type { KnownGroup } from '../../src/clients/kafka/groups.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { kafkaAccess, kafkaPort } from '../support/access.js';
import { aRef, BATCH_PARTS, sleepUntil } from '../support/builders.js';
import { aTopic, produceText } from '../support/live.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const LIBS = 'examples/daily-revenue/pipeline/target/lib';
const RUN = `groups-${process.pid}`;
const TOPIC = `${RUN}.public.orders`;
const OUTPUT = `${RUN}-out`;
const state = temporaryFolder('sluice-groups-');
const classes = join(state, 'classes');
let port: KafkaPort;
const readers = new Set<ChildProcess>();

beforeAll(async () => {
  await buildPipeline(() => undefined);
  execFileSync('javac', ['-d', classes, '-cp', `${LIBS}/*`, 'test/support/java/GroupReader.java']);
  port = kafkaPort();
  await aTopic(port, TOPIC);
  await aTopic(port, OUTPUT);
  await produceText(TOPIC, ['one', 'two', 'three']);
}, 600_000);

afterAll(async () => {
  for (const reader of readers) await kill(reader);
  for (const topic of (await port.listTopics()).filter((name) => name.startsWith(RUN)))
    await port.deleteTopic(topic);
  await port.disconnect();
});

let folders = 0;
function reader(group: string, protocol: string): ChildProcess {
  folders += 1;
  const args = [
    '-Xmx128m',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    `${LIBS}/*:${classes}`,
    'GroupReader',
  ];
  const child = spawn(
    'java',
    [...args, process.env['KAFKA_BROKERS']!, group, TOPIC, protocol, join(state, String(folders))],
    { stdio: 'ignore' },
  );
  readers.add(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const isGone = child.exitCode !== null || child.signalCode !== null;
  child.kill('SIGKILL');
  if (!isGone) await gone;
  readers.delete(child);
}

/** Returns the members of a group. Returns none while the group is not stable. */
const membersOf = async (group: string): Promise<readonly string[]> => {
  const known = (await port.describeGroup(group)) as KnownGroup;
  return known.state === 'Stable' ? known.members : [];
};
const committed = async (group: string): Promise<number> =>
  (await port.groupOffsets(group)).get(TOPIC)?.get(0) ?? 0;
const hasRead = (group: string, upTo: number): Promise<void> =>
  sleepUntil(`${group} has read`, async () => (await committed(group).catch(() => -1)) >= upTo);

describe('a consumer group', () => {
  it.each(['classic', 'consumer', 'streams'])(
    'counts as the same application with the %s protocol if a new member replaces the old one',
    async (protocol) => {
      const group = `${RUN}-${protocol}`;
      const first = reader(group, protocol);
      await hasRead(group, 3);
      const isAlone = async () => (await membersOf(group)).length === 1;
      await sleepUntil('the group has one member', isAlone);
      const before = (await port.describeGroup(group)) as KnownGroup;
      expect(before).toMatchObject({ type: protocol, state: 'Stable', topics: [TOPIC] });
      expect(before.members).toHaveLength(1);
      await kill(first);
      const second = reader(group, protocol);
      await sleepUntil('the group has one member, which is a different one', async () => {
        const members = await membersOf(group);
        return members.length === 1 && !before.members.includes(members[0]!);
      });
      const after = (await port.describeGroup(group)) as KnownGroup;
      expect(groupIdentity(after)).toBe(groupIdentity(before));
      await kill(second);
    },
  );

  it('is unknown if it is a share group, which commits no offsets and which Sluice cannot describe', async () => {
    const group = `${RUN}-share`;
    const child = reader(group, 'share');
    const isKnown = async () => !('type' in (await port.describeGroup(group)));
    await sleepUntil('the share group', isKnown);
    expect(await port.describeGroup(group)).toEqual({
      unknown: 'the broker lists it as a share group but does not describe it',
    });
    await kill(child);
  });

  it('is absent and not unknown if no broker knows it', async () => {
    expect(await port.describeGroup(`${RUN}-nobody`)).toEqual({
      type: 'absent',
      state: 'Absent',
      members: [],
      topics: [],
      protocol: '',
      clients: [],
    });
  });
});

describe('a drain over real groups', () => {
  const enrich = `${RUN}-enrich`;
  const totals = `${RUN}-totals`;
  const pipeline = {
    type: 'external',
    groups: [enrich, totals],
    output: { topic: OUTPUT, key: ['day'] },
  };
  const ref = aRef({
    name: RUN,
    tables: ['public.orders'],
    spec: { batch: BATCH_PARTS.batch, pipeline, kafka: kafkaAccess() },
  });
  let notes: string[] = [];
  const drained = (ms: number): Promise<string | null> => {
    notes = [];
    const note: Note = ({ part, holds }) => void notes.push(`${part} ${holds}`);
    return new MockActivityEnvironment().run<[], string | null, () => Promise<string | null>>(() =>
      pipelineDrained(port, resolve(ref), Date.now() + ms, note),
    );
  };

  it('waits for a group that stopped reading, although the other group has read everything', async () => {
    const running = reader(enrich, 'consumer');
    const standing = reader(totals, 'consumer');
    await hasRead(enrich, 3);
    await hasRead(totals, 3);
    expect(await drained(20_000)).toBeNull();
    await kill(standing);
    await produceText(TOPIC, ['four']);
    await hasRead(enrich, 4);
    expect(await drained(1500), notes.join('; ')).toBe(
      `drain: group ${totals} has read ${TOPIC}/0 to offset 3, and 4 is needed; this was still so at the time limit`,
    );
    const again = reader(totals, 'consumer');
    expect(await drained(60_000)).toBeNull();
    await kill(running);
    await kill(again);
  });
});
