// Corrupts a table or its topic, with a fixed seed and a real Postgres, Debezium, Kafka and worker.
// After each corruption is undone, a harmless change follows, and the next window must pass. The
// tests run with three values of the source's transaction counter, which has 64 bits:
// the value of a new server, 3 billion, and 2^32 + 3 billion. In the last two, the lower 32 bits
// are beyond half of their range.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { random } from '../support/rows.js';
import { TestWorker, sluice } from '../support/sluice.js';
import { counter } from '../support/transaction-counter.js';
import { CLEAN_CHANGES } from './corruptions/clean-changes.js';
import type { Corrupted, Kind, Wanted } from './corruptions/kinds.js';
import { openLab, openServer, type Lab } from './corruptions/lab.js';
import { KEPT, SMALL } from './corruptions/ledger-table.js';
import { LOG_KINDS } from './corruptions/log-kinds.js';
import { LOST_ROWS, RECORD_KINDS } from './corruptions/record-kinds.js';
import { TABLE_KINDS, UNTOUCHED_ROWS } from './corruptions/table-kinds.js';
import { VALUE_KINDS } from './corruptions/value-kinds.js';

const SEED = Number(process.env['SLUICE_CORRUPTION_SEED'] ?? 28);
/** The maximum number of kinds for each value of the counter. By default, there is no maximum. */
const ROUNDS = Number(process.env['SLUICE_CORRUPTIONS'] ?? Infinity);
/** The test runs only kinds whose names match this pattern, for example to repeat one kind. */
const ONLY = new RegExp(process.env['SLUICE_CORRUPTION_KINDS'] ?? '');

const SOURCES: readonly (readonly [where: string, from: bigint])[] = [
  ['of a new server', 0n],
  ['of 3 billion', 3_000_000_000n],
  ['of 2^32 + 3 billion', 2n ** 32n + 3_000_000_000n],
];
/**
 * These kinds run with all three values of the counter, because windows once missed them if the
 * counter was large. Each other kind runs with one of the values.
 */
const EVERYWHERE = [...UNTOUCHED_ROWS, ...LOST_ROWS];
const DEALT = [...VALUE_KINDS, ...TABLE_KINDS, ...RECORD_KINDS, ...LOG_KINDS];

const worker = new TestWorker();
let server: Awaited<ReturnType<typeof openServer>>;
beforeAll(async () => {
  server = await openServer();
  await worker.start();
});
afterAll(async () => {
  await worker.kill('SIGTERM');
  await server.close();
});

function roundsOf(source: number, next: () => number): Kind[] {
  const shuffled = (kinds: readonly Kind[]): Kind[] =>
    kinds
      .map((kind) => [next(), kind] as const)
      .sort(([a], [b]) => a - b)
      .map(([, kind]) => kind);
  const mine = shuffled(DEALT).filter((_kind, at) => at % SOURCES.length === source);
  const chosen = shuffled([...EVERYWHERE, ...mine]).filter(({ what }) => ONLY.test(what));
  return chosen.slice(0, ROUNDS);
}

async function expectFlagged(lab: Lab, what: string, wanted: Wanted): Promise<void> {
  if ('blocked' in wanted) {
    const before = (await lab.status()).windows.at(-1)!.number;
    const isBlocked = async () => (await lab.status()).blocked?.code === wanted.blocked;
    await sleepUntil(`${what}: ${wanted.blocked}`, isBlocked);
    const { blocked, windows } = await lab.status();
    expect(blocked!.detail, what).toMatch(wanted.says);
    const later = windows.filter(({ number }) => number > before + 1);
    expect(later.filter(({ verdict }) => verdict === 'passed')).toEqual([]);
    return;
  }
  const { number, ledger, accounts } = await lab.nextWindow(what);
  if ('errored' in wanted) {
    expect([what, ledger.verdict, ledger.reason]).toEqual([
      what,
      'errored',
      expect.stringMatching(wanted.errored),
    ]);
    return;
  }
  const { missing, extraneous, mismatched, unknown, reason } = ledger;
  const none = { missing: 0, extraneous: 0, mismatched: 0, unknown: 0 };
  expect({ what, missing, extraneous, mismatched, unknown }).toEqual({
    what,
    ...none,
    ...wanted.counts,
  });
  const verdict = wanted.counts.unknown ? 'inconclusive' : 'failed';
  expect([what, reason, ledger.verdict, accounts.verdict]).toEqual([
    what,
    reason,
    verdict,
    'passed',
  ]);
  const { shown, says = /^/ } = wanted;
  if (!shown) return;
  const shownOnes = JSON.parse(
    sluice('diff', lab.name, '--window', String(number), '-o', 'json').stdout,
  ) as { differences: { class: string; stream: string | null }[] };
  const isShown = shownOnes.differences.some(
    (one) => one.class === shown && says.test(one.stream ?? ''),
  );
  expect({ what, isShown, shownOnes }).toMatchObject({ what, isShown: true });
}

async function takeBack(lab: Lab, { wanted, undo }: Corrupted): Promise<void> {
  if (undo === 'new generation') return lab.nextGeneration();
  await undo();
  if (!('blocked' in wanted)) return;
  sluice('retry', lab.name);
  await sleepUntil('the run continues', async () => (await lab.status()).blocked === null);
}

/**
 * Matches the reason of a window during which the connector reconnected. On a slow machine,
 * Postgres may end the connector's session.
 */
const RECONNECTED = /changed during the window: connector task/;

/**
 * Makes a change that is not a corruption. The next window must pass. (A window during which the
 * connector reconnected does not count.) Returns the number of the window that passed.
 */
async function expectClean(lab: Lab, round: number, next: () => number): Promise<number> {
  const changes = Object.entries(CLEAN_CHANGES);
  const [what, change] = changes[Math.floor(next() * changes.length)]!;
  await change(lab, round);
  let window = await lab.nextWindow(what);
  while (window.ledger.verdict === 'inconclusive' && RECONNECTED.test(window.ledger.reason))
    window = await lab.nextWindow(what);
  const { number, ledger, accounts } = window;
  const { rows } = await lab.client.query<{ n: string }>('SELECT count(*) AS n FROM ledger');
  const { verdict, reason, compared, matched } = ledger;
  const n = Number(rows[0]!.n);
  expect({ what, verdict, reason, compared, matched }).toEqual({
    what,
    verdict: 'passed',
    reason: expect.stringContaining('0 differences') as string,
    compared: n,
    matched: n,
  });
  expect([what, accounts.verdict]).toEqual([what, 'passed']);
  return number;
}

/** Makes and undoes each corruption. Returns how many windows passed after the clean changes. */
async function inTurn(lab: Lab, rounds: readonly Kind[], next: () => number): Promise<number> {
  const clean = new Set<number>();
  const failures: string[] = [];
  const collect = (what: string, error: unknown): void => {
    const { actual = null } = error as { actual?: unknown };
    failures.push(`${what}: ${String(error)}, found ${JSON.stringify(actual)}`);
    console.error(failures.at(-1));
  };
  const lookClean = async (round: number): Promise<void> => {
    const number = expectClean(lab, round, next);
    await number.then((one) => clean.add(one)).catch((error: unknown) => collect('clean', error));
  };
  await lookClean(0);
  for (const [round, { what, corrupt }] of rounds.entries()) {
    const id = KEPT + 1 + Math.floor(next() * (SMALL - KEPT - 4));
    console.log(`corruptions: ${round + 1} of ${rounds.length}: ${what}, row ${id}`);
    const corrupted = await corrupt(lab, id, next);
    await expectFlagged(lab, what, corrupted.wanted).catch((error: unknown) =>
      collect(`${what}, row ${id}`, error),
    );
    await takeBack(lab, corrupted);
    await lookClean(round + 1);
  }
  expect(failures).toEqual([]);
  return clean.size;
}

describe('corruptions of a table or its topic', () => {
  it.each(SOURCES.map(([where, from], at) => ({ where, from, at })))(
    'are all reported correctly, and the window after each undo passes: transaction counter $where',
    { timeout: 3_600_000 },
    async ({ from, at }) => {
      const next = random(SEED + at);
      const rounds = roundsOf(at, random(SEED));
      const lab = await openLab(server.home, worker, `corrupted-${at}`, from);
      try {
        const clean = await inTurn(lab, rounds, next);
        expect(clean).toBe(rounds.length + 1);
        console.log(
          `corruptions: ${rounds.length} flagged, ${clean} clean windows passed, seed ${SEED}, the counter at ${await counter(server.home)}`,
        );
      } finally {
        await lab.close();
      }
    },
  );
});
