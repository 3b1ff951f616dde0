// Tests when a waiver of the class batch-was-wrong counts.
import { describe, expect, it } from 'vitest';
import { waiverOf } from '../../src/activities/windows/results/stored-result.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';

const UNTIL = '2026-03-01T00:00:00Z';
const waiver = { class: 'batch-was-wrong', reason: 'a bug of the batch', until: UNTIL };
const spec = { spec: { validation: { waivers: [waiver] } } } as unknown as MigrationSpec;

describe('a waiver', () => {
  it('counts only before its end, by the time that the caller passes and not by the clock of the worker', () => {
    const end = Date.parse(UNTIL);
    expect(waiverOf(spec, 2, end - 1)).toMatchObject({ mismatched: 2 });
    for (const now of [end, end + 86_400_000]) expect(waiverOf(spec, 2, now)).toBeUndefined();
  });
});
