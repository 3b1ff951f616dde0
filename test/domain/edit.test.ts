// Tests which changes of its spec a running migration accepts, and whose signatures a change needs.
// The file also tests the payloads of an edit and of a request for a window.
import { describe, expect, it } from 'vitest';
import {
  decideEdit,
  type EditState,
  type PendingEdit,
} from '../../src/domain/decisions/edit-gate.js';
import { checkAskedWindow, checkEdit } from '../../src/domain/decisions/message-payloads.js';
import { EDITABLE, specEdit } from '../../src/domain/decisions/spec-changes.js';
import { UNSIGNED, type Identity } from '../../src/domain/decisions/gate.js';
import { buildPlan, planHash } from '../../src/manifest/build-plan.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';
import { BATCH_PARTS, aSpec } from '../support/builders.js';

const NOW = '2026-11-22T00:00:00Z';
const SIGNED: Identity = { authenticated: true, refused: null };

interface Parts {
  readonly validation?: object;
  readonly approval?: object;
  readonly cutover?: object;
  readonly soak?: object;
}

const specWith = ({ validation, approval, cutover, soak }: Parts = {}): MigrationSpec =>
  aSpec({
    spec: {
      ...BATCH_PARTS,
      validation: { every: '1h', closedKeys: 'day < $cut::date', ...validation },
      cutover: { ...BATCH_PARTS.cutover, ...cutover, approval: { ...approval } },
      soak: { for: '24h', passes: 3, ...soak },
    },
  });

const waiver = (more: object) => ({ reason: 'known', until: '2030-01-01T00:00:00Z', ...more });

/** Each edit with the number of its changed fields that evidence depends on. */
const EDITS: Record<string, readonly [Parts, number]> = {
  'the cadence': [{ validation: { every: '2h' } }, 0],
  'the change window': [{ approval: { notBefore: '2026-12-01T00:00:00Z' } }, 0],
  'the approvers and the quorum': [{ approval: { approvers: ['ann', 'bob'], quorum: 2 } }, 0],
  'the hold': [{ cutover: { maxHold: '90s' } }, 0],
  'the soak': [{ soak: { for: '2h' } }, 0],
  tolerances: [{ validation: { compare: { tolerances: { total: { abs: '0.01' } } } } }, 1],
  'ignored columns': [{ validation: { compare: { ignore: ['public.accounts.note'] } } }, 1],
  'a waiver of a check': [{ validation: { waivers: [waiver({ check: 'table.types' })] } }, 0],
  'a waiver of a class that windows use': [
    { validation: { waivers: [waiver({ class: 'batch-was-wrong' })] } },
    1,
  ],
};

const edited = (parts: Parts, isCommitted = false) =>
  specEdit(specWith(), specWith(parts), { isCommitted });

describe('an edit of a running migration', () => {
  it.each(Object.entries(EDITS))('may change %s', (_what, [parts, evidence]) => {
    const { changes, refused, evidence: rested } = edited(parts);
    expect(changes.length).toBeGreaterThan(0);
    expect(refused).toEqual([]);
    expect(rested).toHaveLength(evidence);
    // the edited spec plans the same objects, which already exist
    const [before, after] = [buildPlan(specWith()), buildPlan(specWith(parts))];
    expect(after.creates).toEqual(before.creates);
    expect(after.connectors).toEqual(before.connectors);
  });

  it('must not change any other field, and the refusal names the field, the reason and the remedy', () => {
    const before = aSpec();
    const others = [
      aSpec({ tables: ['public.other'] }),
      { ...before, metadata: { ...before.metadata, labels: { team: 'x' } } },
      aSpec({ spec: { validation: { passesInARow: 1 } } }),
      aSpec({ spec: { kafka: { brokers: ['other:9092'] } } }),
    ];
    const paths = [
      'spec.source.tables',
      'metadata.labels.team',
      'spec.validation.passesInARow',
      'spec.kafka.brokers',
    ];
    others.forEach((other, at) => {
      const { refused } = specEdit(before, other, { isCommitted: false });
      expect(refused.map(({ path }) => path)).toEqual([paths[at]]);
      expect(refused[0]!.reason).toContain('cannot change while the migration runs');
      expect(refused[0]!.remedy).toContain('roll back');
    });
    const renamed = specEdit(before, aSpec({ name: 'other' }), { isCommitted: false });
    expect(renamed.refused[0]!.reason).toContain('another migration');
  });

  it('after the commit may change the cadence and extend the soak, but change or shorten nothing else', () => {
    expect(edited({ validation: { every: '2h' } }, true).refused).toEqual([]);
    expect(edited({ soak: { for: '48h', passes: 4 } }, true).refused).toEqual([]);
    for (const parts of [
      { soak: { for: '1h' } },
      { soak: { passes: 1 } },
      { cutover: { maxHold: '90s' } },
      { approval: { quorum: 2 } },
      { validation: { compare: { ignore: ['public.accounts.note'] } } },
    ])
      expect(edited(parts, true).refused).toHaveLength(1);
  });

  it('is possible only for fields that exist in a spec', () => {
    const spec = specWith({ validation: { laterWindows: 'scan' } });
    for (const path of Object.keys(EDITABLE)) {
      const value = path
        .split('.')
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], spec);
      expect(value, path).toBeDefined();
    }
  });
});

describe('the decision about an edit', () => {
  const before = specWith({ approval: { approvers: ['ann', 'bob', 'cy'], quorum: 2 } });
  const gate = specWith({ approval: { approvers: ['ann'], quorum: 1 } });
  const cadence = specWith({
    validation: { every: '2h' },
    approval: { approvers: ['ann', 'bob', 'cy'], quorum: 2 },
  });
  const state = (more: Partial<EditState> = {}): EditState => ({
    run: 'run-1',
    planHash: planHash(before),
    spec: before,
    isCommitted: false,
    closed: null,
    pending: null,
    ...more,
  });
  const decide = (
    by: string,
    wanted: MigrationSpec,
    more: Partial<EditState> = {},
    identity = SIGNED,
    request: object = {},
    now = NOW,
  ) =>
    decideEdit(
      { by, run: 'run-1', base: planHash(before), ...request },
      wanted,
      planHash(wanted),
      state(more),
      now,
      identity,
    );

  it('needs a signature of an approver if the spec before the edit names approvers', () => {
    expect(decide('ann', cadence)).toMatchObject({ accepted: true, applies: true });
    expect(decide('ann', cadence, {}, UNSIGNED).reason).toContain('unauthenticated');
    expect(decide('eve', cadence).reason).toContain('eve is not one of the approvers');
  });

  it("needs the former spec's quorum of signatures if the edit changes the rules of approval", () => {
    const first = decide('ann', gate);
    expect(first).toMatchObject({ accepted: true, applies: false });
    expect(first.reason).toContain('signature 1 of 2');
    const { pending } = first as { pending: PendingEdit };
    expect(decide('ann', gate, { pending }).reason).toContain('signed this edit already');
    expect(decide('bob', gate, { pending })).toMatchObject({ applies: true, pending: null });
  });

  it('is a refusal while a different edit waits for signatures; an edit waits for at most an hour', () => {
    const pending = { wanted: planHash(gate), by: ['ann'], at: NOW };
    const other = decide('bob', cadence, { pending });
    expect(other).toMatchObject({ accepted: false, pending });
    expect(other.reason).toContain(
      'another edit by ann waits for signatures until 2026-11-22T01:00',
    );
    const later = decide('bob', cadence, { pending }, SIGNED, {}, '2026-11-22T01:00:01Z');
    expect(later).toMatchObject({ applies: true });
  });

  it('is a refusal for a different run, for an outdated spec, or when no edit is possible', () => {
    expect(decide('ann', cadence, {}, SIGNED, { run: 'run-0' }).reason).toContain(
      'is for run run-0',
    );
    expect(decide('ann', cadence, {}, SIGNED, { base: 'x' }).reason).toContain(
      'run sluice edit again',
    );
    expect(decide('ann', cadence, { closed: 'the fence' }).reason).toBe('the fence');
  });

  it('is an acceptance without effect if the edit changes nothing', () => {
    expect(decide('ann', before)).toMatchObject({
      accepted: true,
      applies: false,
      reason: 'nothing changes',
    });
  });
});

describe('the payload', () => {
  it('of an edit is refused, and the refusal names the field, if a field is missing or wrong', () => {
    const whole = { by: 'ann', reason: 'r', run: 'x', base: 'y', spec: {} };
    expect(checkEdit(whole)).toMatchObject({ ok: true });
    for (const field of Object.keys(whole))
      expect(checkEdit({ ...whole, [field]: undefined })).toMatchObject({
        ok: false,
        reason: expect.stringContaining(field) as string,
      });
    expect(checkEdit('spec')).toMatchObject({ ok: false });
  });

  it('of a request for a window is refused if a field is wrong; by default, it waits for the verdict', () => {
    expect(checkAskedWindow({ by: 'ann' })).toMatchObject({
      ok: true,
      value: { isFull: false, waits: true },
    });
    expect(checkAskedWindow({ by: 'ann', full: 'yes' })).toMatchObject({ ok: false });
    expect(checkAskedWindow({})).toMatchObject({ ok: false, reason: 'by is missing' });
  });
});
