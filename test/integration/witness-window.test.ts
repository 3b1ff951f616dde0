// Tests a final window that rests on a full pass before the fence, with a real table and a real
// topic. The final window reads only the rows that have changed since then. The witness (a
// temporary slot) names the changes of the source, and the topic shows its own changes. The test
// itself writes to the topic, so it can leave out events and invent others.
import { describe, expect, it } from 'vitest';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { foldTable } from '../../src/activities/windows/folds/fold-table.js';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import type { ConnectedSession } from '../../src/activities/windows/session.js';
import { passByHash, type PassInput } from '../../src/activities/windows/tables/table-by-hash.js';
import { boundedNow, snapshotText } from '../../src/activities/windows/tables/visibility.js';
import { passWitnessed } from '../../src/activities/windows/witness/pass-witnessed.js';
import { Witnesses } from '../../src/activities/windows/witness/witnesses.js';
import type { SourceClient } from '../../src/clients/postgres/connection.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import { ROWS, SHAPE, windowsOf, witnessScene, type Write } from '../support/witness-scene.js';

const { kafka, scene, undo } = witnessScene();

async function inputOf({ reader, side }: ConnectedSession, topic: string): Promise<PassInput> {
  return {
    kafka,
    topic,
    heartbeat: () => undefined,
    ends: await kafka.offsets(topic),
    shape: SHAPE,
    snapshot: await boundedNow(side, parseSnapshot(await snapshotText(reader))),
    reader,
    from: 'public.a',
    isPartitioned: false,
    rowsPerSecond: 0,
  };
}

const begin = (reader: SourceClient) =>
  reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');

/**
 * Makes the full pass of window 7, runs `between`, and returns what the final window finds, or why
 * it cannot use the witness.
 */
async function finalAfter(
  between: (client: SourceClient, write: Write, session: ConnectedSession) => Promise<unknown>,
) {
  const { client, topic, write, session, witnesses } = await scene();
  const { reader, ref, folds } = session;
  const tables = [{ table: 'public.a', from: 'public.a', key: 'id' }];
  expect(await witnesses.begin(session, tables)).toBeNull();
  await begin(reader);
  const at = await snapshotText(reader);
  const full = await inputOf(session, topic);
  const fold = await folds.hashes(ref, topic, SHAPE, ROWS);
  const pass = await passByHash(full, foldTable(full, fold, full.ends, full.snapshot));
  expect(pass.counts.matched).toBe(ROWS);
  fold.proven(full.snapshot);
  await reader.query('COMMIT');
  witnesses.proven(ref, { window: 7, rows: new Map([['public.a', ROWS]]) }, at);
  await between(client, write, session);
  await begin(reader);
  const heard = await witnesses.hear(session, 7);
  if ('refused' in heard) return { refused: heard.refused };
  const final = await passWitnessed(session, await inputOf(session, topic), 'public.a', heard);
  return typeof final === 'string' ? { refused: final } : final;
}

describe('a final window that uses a witness', () => {
  it('reads only the changed rows, and counts all rows without reading the others', async () => {
    const final = await finalAfter(async (client, write) => {
      await client.query(
        `UPDATE a SET v = 'w' WHERE id = 3; DELETE FROM a WHERE id = 4; INSERT INTO a VALUES (500, 'n'), (501, 'n')`,
      );
      await write('u', 3, 'w');
      await write('d', 4);
      await write('c', 500, 'n');
      await write('c', 501, 'n');
    });
    expect(final).toMatchObject({
      counts: { matched: 201, missing: 0, extraneous: 0, mismatched: 0, unknown: 0 },
      rowsRead: 3,
      provenEarlier: 198,
      counted: 201,
      witness: {
        passedBefore: 7,
        rowsBefore: ROWS,
        inserted: 2,
        deleted: 1,
        changedAtSource: 4,
        changedOnTopic: 4,
      },
    });
  });

  it.each<[string, string | null, Parameters<Write> | null, object]>([
    ['an update', `UPDATE a SET v = 'w' WHERE id = 3`, null, { mismatched: 1, matched: 199 }],
    ['an insert', `INSERT INTO a VALUES (500, 'n')`, null, { missing: 1, matched: 200 }],
    ['a delete', `DELETE FROM a WHERE id = 3`, null, { extraneous: 1, matched: 199 }],
  ])('finds %s that only the witness saw, because the topic lost its event', async (...row) => {
    const [, sql, , counts] = row;
    const final = await finalAfter((client) => client.query(sql!));
    expect(final).toMatchObject({ counts });
    expect(final).toMatchObject({ differences: [expect.anything()] });
  });

  it.each<[string, Parameters<Write>, object]>([
    ['an update', ['u', 3, 'w'], { mismatched: 1, matched: 199 }],
    ['an insert', ['c', 500, 'n'], { extraneous: 1, matched: 200 }],
    ['a delete', ['d', 3], { missing: 1, matched: 199 }],
  ])('finds %s that only the topic has', async (_, record, counts) => {
    expect(await finalAfter((__, write) => write(...record))).toMatchObject({ counts });
  });

  it('finds a lost insert and an invented insert, although the numbers of rows agree', async () => {
    const final = await finalAfter(async (client, write) => {
      await client.query(`INSERT INTO a VALUES (500, 'n')`);
      await write('c', 501, 'n');
    });
    expect(final).toMatchObject({ counts: { missing: 1, extraneous: 1, matched: 200 } });
  });

  it.each<[string, string, RegExp]>([
    ['a truncate', 'TRUNCATE a', /redefined or rewritten/],
    ['a rewrite', 'VACUUM FULL a', /redefined or rewritten/],
    ['a new column', 'ALTER TABLE a ADD w int', /redefined or rewritten/],
    [
      'the end of the session of the witness',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'sluice/%/witness' AND datname = current_database()`,
      /the witness was lost/,
    ],
  ])('is impossible, and the reason is named, after %s', async (_, sql, reason) => {
    const final = await finalAfter((client) => client.query(sql));
    expect(final).toEqual({ refused: expect.stringMatching(reason) as string });
  });

  it('is impossible if its worker has no witness, or no longer has the fold of the full pass', async () => {
    const gone = await finalAfter((_, __, { witness, ref }) => witness!.keeper.end(ref));
    expect(gone).toEqual({
      refused: expect.stringContaining('this worker does not have the witness') as string,
    });
    const dropped = await finalAfter((_, __, { folds, ref }) => Promise.resolve(folds.drop(ref)));
    expect(dropped).toEqual({ refused: expect.stringContaining('not those of') as string });
  });

  it('is impossible if the keys do not fit in memory, and the reason names the memory that they need', async () => {
    const small = new FoldCache(new FoldFiles(undefined), ROWS);
    const final = await finalAfter((_, __, session) =>
      Promise.resolve(Object.assign(session, { folds: small })),
    );
    expect(final).toEqual({
      refused: expect.stringContaining('set SLUICE_WINDOW_MEMORY of the worker to at least 1MiB'),
    });
  });

  it('on a worker without the witness reads every row, or is inconclusive if maxHold is too short', async () => {
    const { client, write, session } = await scene();
    const window = windowsOf(kafka, session);
    const first = session.witness!.keeper;
    expect((await window(first, 7, 'begin')).witness).toEqual({ refused: null, rested: false });
    await client.query(`UPDATE a SET v = 'w' WHERE id = 3`);
    await write('u', 3, 'w');
    const why =
      'this worker does not have the witness: another worker began it, or this worker was restarted';
    const reads = await window(new Witnesses(resolveSecret), 8, { after: 7, orReadsAll: true });
    expect(reads).toMatchObject({
      subjects: [
        { verdict: { verdict: 'passed', reason: expect.stringContaining(why) as string } },
      ],
      witness: { refused: why, rested: false },
    });
    const may = await window(new Witnesses(resolveSecret), 9, { after: 7, orReadsAll: false });
    expect(may.subjects[0]!.verdict).toEqual({
      verdict: 'inconclusive',
      reason: expect.stringMatching(`maxHold is too short to read every row.*${why}`) as string,
    });
    // the worker that has the witness is not disturbed by the other workers
    const rests = await window(first, 10, { after: 7, orReadsAll: false });
    expect(rests).toMatchObject({
      subjects: [{ subject: 'public.a', verdict: { verdict: 'passed' } }],
      witness: { refused: null, rested: true },
    });
  });

  it('has no witness if the role lacks the attribute REPLICATION, and says so', async () => {
    const { client, session } = await scene();
    await client.query(`DROP ROLE IF EXISTS plain_reader`);
    await client.query(`CREATE ROLE plain_reader LOGIN PASSWORD 'reads'`);
    undo.push(() => client.query('DROP ROLE plain_reader').catch(() => undefined));
    const { spec } = session.plan;
    const plan = {
      ...session.plan,
      spec: {
        ...spec,
        source: { ...spec.source, postgres: { ...spec.source.postgres, user: 'plain_reader' } },
      },
    };
    const refused = await new Witnesses(() => 'reads').begin({ ...session, plan }, []);
    expect(refused).toMatch(/the server refused it: .*(permission denied|replication)/i);
  });
});
