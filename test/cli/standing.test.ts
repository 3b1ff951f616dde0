// Tests the messages that say why a run waits or does not continue. Also tests what an approver
// sees before `sluice approve` asks for a confirmation.
import { describe, expect, it } from 'vitest';
import { shownEvidence } from '../../src/cli/decide.js';
import { explainStatus } from '../../src/cli/explain.js';
import { render } from '../../src/cli/get.js';
import { describeWait } from '../../src/cli/support/pending-activities.js';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import type { WindowRow } from '../../src/domain/evidence/window.js';
import { judgeStanding, type Standing } from '../../src/domain/migration/run-standing.js';
import { renderDashboard } from '../../src/report/dashboard-page.js';
import { REMOVE_LEFTOVERS } from '../../src/report/state-words.js';
import { initialState } from '../../src/workflows/run/state.js';
import { nextCommands } from '../../src/workflows/run/status-view.js';
import { aStatus, liveStanding } from '../support/status.js';

const NOW = new Date().toISOString();
const status = (more: Partial<StatusWithWindows>): StatusWithWindows => ({
  ...aStatus({ phase: 'catch-up' }),
  windows: [],
  ...more,
});
const AWAY: Standing = judgeStanding(
  { kind: 'unreachable', problem: 'Temporal at x:1 does not answer' },
  null,
  NOW,
);
const LIVE = liveStanding(NOW);
const DEAD: Standing = {
  ...LIVE,
  problem: 'its workflow was terminated',
  state: 'terminated',
  isDead: true,
  remedy: ['sluice doctor --leftovers --remove'],
};

describe('a run that does not continue, or whose state is not known now', () => {
  it('is shown with its problem and remedy by get, explain and dashboard', () => {
    const dead = status({ standing: DEAD });
    expect(render(dead)).toMatch(/State: +terminated\n/);
    expect(render(dead)).toContain('Remedy:     sluice doctor --leftovers --remove');
    expect(explainStatus(dead)).toMatchObject({
      because: 'It cannot continue: its workflow was terminated.',
      remedy: 'sluice doctor --leftovers --remove',
    });
    const page = renderDashboard([{ ...dead, recordedAt: '2026-01-01T00:00:00.000Z' }], NOW);
    expect(page).toContain('<th>as of</th>');
    expect(page).toContain('<td>2026-01-01T00:00:00.000Z</td>');
    expect(page).toContain('terminated');
    expect(page).toContain('1 wait for a person');
  });
  it('is shown with a remedy if it ended and objects are left over', () => {
    const leftovers = [{ kind: 'topic', name: 'shop.public.orders' }];
    const ended = status({ outcome: 'rolled-back', leftovers });
    expect(render(ended)).toContain(
      `Left over:  topic shop.public.orders\nRemedy:     ${REMOVE_LEFTOVERS}`,
    );
    expect(explainStatus(ended)).toMatchObject({
      because: 'It has ended: rolled-back, with 1 objects left over.',
      remedy: REMOVE_LEFTOVERS,
    });
    // the ledger can lack an object of the run's undo list, and then `doctor` does not list it
    expect(REMOVE_LEFTOVERS).toBe(
      'sluice doctor --leftovers --remove; remove by hand what it does not list (sluice audit ID names it)',
    );
  });
  it('is shown with the time of its data if Temporal does not answer and the ledger gives the data', () => {
    const away = status({ standing: AWAY });
    expect(render(away)).toContain(`As of:      ${NOW}`);
    expect(render(away)).toMatch(/State: +running \(Temporal does not answer\)/);
    expect(explainStatus(away).because).toContain(NOW);
  });
});

describe('a run that waits', () => {
  it('requests no further approval if it is approved and waits only for its change window', () => {
    const approved = status({
      phase: 'approve',
      needsApproval: true,
      approved: true,
      evidenceId: 'ev-1',
      waiting: 'the change window, which opens at 2027-01-01T00:00:00Z',
    });
    expect(render(approved)).toMatch(/State: +approved\n/);
    expect(explainStatus(approved).because).toBe(
      'Evidence ev-1 is approved. The cut-over waits for the change window, which opens at 2027-01-01T00:00:00Z. A failed window voids the evidence.',
    );
    expect(renderDashboard([{ ...approved, recordedAt: NOW }], NOW)).toContain(
      'No migration waits for a person',
    );
  });
  it('shows what its activity waits for', () => {
    const wait = describeWait({
      waitingFor:
        'drain: group g has no committed offset for t/0, so it is unknown whether the group has drained',
    });
    expect(wait).toBe(
      'waits for drain: group g has no committed offset for t/0, so it is unknown whether the group has drained',
    );
    const waits = [`catchUp: ${wait}`];
    const waiting = status({ standing: { ...LIVE, waits } });
    expect(explainStatus(waiting)).toMatchObject({
      because: 'It is working.',
      waits: [`Doing: catchUp: ${wait}.`],
    });
    expect(render(waiting)).toContain('no committed offset');
  });
  it('shows in the soak how many passed windows are missing', () =>
    expect(
      explainStatus(
        status({
          phase: 'soak',
          waiting: 'the end of the soak at 2026-01-01 and 2 more passed windows (3 are required)',
          standing: LIVE,
        }),
      ).because,
    ).toContain('2 more passed windows (3 are required)'));
  it.each(['validate', 'soak'] as const)(
    'names in %s the window that did not pass, and the command that shows its differences',
    (phase) => {
      const lastWindow = { number: 48, verdict: 'inconclusive', reason: '', at: NOW } as const;
      const state = { ...initialState('r'), phase, lastWindow: { ...lastWindow, durationMs: 1 } };
      const reason = 'unknown 1 keys > 0 allowed';
      const row = { ...lastWindow, subject: 'public.t', reason } as WindowRow;
      const next = nextCommands(state, 'a');
      const explained = explainStatus(status({ phase, windows: [row], next, standing: LIVE }));
      expect(explained.because).toContain('Window 48 is inconclusive: public.t: unknown 1 keys');
      expect(explained.next[0]).toBe('sluice diff a --window 48');
    },
  );
  it.each([
    [
      { waitingFor: 'connector', confirmed: '0/1', lsn: '0/2' },
      'waits for connector (confirmed 0/1, lsn 0/2)',
    ],
    [{ phase: 'connect', tables: [{ table: 't', rowsScanned: 3, rowsTotal: 9 }] }, 't 3 of 9 rows'],
    [{}, null],
  ])('is described from the heartbeat details %j as: %s', (details, text) =>
    expect(describeWait(details)).toBe(text),
  );
});

describe('an approver', () => {
  it('sees the evidence, what will be switched and the notes before the question', () => {
    const lines = shownEvidence(
      {
        epoch: 2,
        planHash: 'abc',
        passesInARow: 5,
        covered: ['weekday'],
        lastWindow: { number: 9, verdict: 'passed', reason: '0 differences in 7 keys', at: NOW },
        run: 'r',
        switches: 'view swap',
        notes: ['no batch.runs'],
        signers: [],
      },
      'ev-1.2-abc',
    ).join('\n');
    for (const part of [
      'ev-1.2-abc (epoch 2, plan abc)',
      '5 passed in a row, on weekday',
      'window 9 passed',
      'view swap',
      'no batch.runs',
    ])
      expect(lines).toContain(part);
  });
});
