// Tests part P3 of the drain proof: the marker that the fence itself wrote has arrived in Kafka. If
// the connector is adopted (it ran before the migration), Sluice writes no marker.
import { MockActivityEnvironment } from '@temporalio/testing';
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { adapterOf } from '../../src/activities/capture/index.js';
import { markFence } from '../../src/activities/cutover/fence.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { markerRead } from '../../src/activities/cutover/drain-proof.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { ADOPTING } from '../support/adopting.js';
import { BATCH_PARTS, aPlan, aRef } from '../support/builders.js';

const ref = aRef({ spec: BATCH_PARTS });

describe('part P3 of the drain proof', () => {
  const topicOf = (...values: string[]): KafkaPort =>
    ({
      offsets: () =>
        Promise.resolve([{ partition: 0, low: 0, high: values.length, committed: values.length }]),
      readRange: (
        _topic: string,
        _partition: number,
        from: number,
        to: number,
        visit: (...record: unknown[]) => void,
      ) => {
        for (let at = from; at < to; at += 1) {
          const bytes = Buffer.from(values[at]!);
          visit(at, bytes, -1, -1, 0, bytes.length);
        }
        return Promise.resolve();
      },
    }) as unknown as KafkaPort;
  const read = async (kafka: KafkaPort): Promise<{ reason: string | null; notes: string[] }> => {
    const notes: string[] = [];
    const reason = await new MockActivityEnvironment().run<
      [],
      string | null,
      () => Promise<string | null>
    >(() =>
      markerRead(
        kafka,
        resolve(ref),
        'my-token',
        Date.now() + 300,
        (proof) => void notes.push(`${proof.part} ${proof.holds}`),
      ),
    );
    return { reason, notes };
  };
  const record = (token: string): string =>
    JSON.stringify({
      op: 'm',
      message: { prefix: 'p', content: Buffer.from(token).toString('base64') },
    });

  it('holds if the topic contains the marker of this fence', async () => {
    expect(await read(topicOf(record('nudge'), record('my-token'), record('barrier')))).toEqual({
      reason: null,
      notes: ["P3 the fence's own marker was read from bank.message/0 at 1"],
    });
  });
  it('is not proven if the topic contains only other markers', async () => {
    expect(await read(topicOf(record('nudge'), record('their-token')))).toEqual({
      reason: "P3: the fence's marker is not in bank.message, so the drain is not proven",
      notes: [],
    });
  });
});

describe('the marker of a fence or of a barrier', () => {
  const statements = async (spec: object): Promise<string[]> => {
    const said: string[] = [];
    const client = {
      query: (sql: string) => {
        said.push(sql);
        return Promise.resolve({ rows: [{ lsn: '0/1' }] });
      },
    } as unknown as pg.Client;
    const plan = aPlan({ spec: spec as Record<string, unknown> });
    await markFence(client, plan, 'token');
    const systems = { connect: () => ({}) } as unknown as Deps['systems'];
    const at = { snapshot: client, side: client, token: 'barrier' };
    await adapterOf(plan).mark({ systems }, { ref, plan }, at, plan.capture);
    return said.filter((sql) => sql.includes('pg_logical_emit_message'));
  };

  it('is written only if the connector is not adopted', async () => {
    expect(await statements({})).toHaveLength(2);
    expect(await statements(ADOPTING)).toEqual([]);
  });
});
