// Explores every interleaving of the cut-over's protocol, and of seven smaller models, within a
// bound. The real protocol breaks no invariant. A mutant is the protocol without one or two of its
// rules, and must break the invariant that these rules protect.
import { describe, expect, it } from 'vitest';
import { CLAIM_MUTANTS, CLAIM_RULES, claims } from './claims.js';
import { explore } from './explore.js';
import { MUTANTS, OURS } from './mutants.js';
import { PAUSE_MUTANTS, PAUSE_RULES, pausedConnector } from './paused-connector.js';
import { search } from './search.js';
import { copy, fresh, initial, keyOf, type World } from './state.js';
import { STILL_MUTANTS, STILL_RULES, stillPoint } from './still-point.js';
import { WITNESS_MUTANTS, WITNESS_RULES, witness } from './witness.js';
import { WAIT_MUTANTS, WAIT_RULES, waiting } from './waiting.js';
import { GUARD_MUTANTS, GUARD_RULES, walGuard } from './wal-guard.js';
import { SHARED_MUTANTS, SHARED_RULES } from './shared-table-rules.js';
import { sharedTable } from './shared-table.js';

const STATES = Number(process.env['SLUICE_MODEL_STATES'] ?? 150_000);
/**
 * The time limit of the largest search. Three million states take a minute on an idle core, and
 * much longer on a busy machine.
 */
const HOURS = 3_600_000;

describe('the cut-over protocol', () => {
  it('counts two states as different if any field differs', () => {
    const world = { ...initial(2), zombie: fresh() };
    const changed = [
      ...Object.keys(initial(0)).flatMap((name) =>
        typeof world[name as keyof World] === 'number' ? [{ ...world, [name]: 7 }] : [],
      ),
      ...Object.keys(fresh()).flatMap((name) => [
        { ...world, worker: { ...fresh(), [name]: 7 } },
        { ...world, zombie: { ...fresh(), [name]: 7 } },
      ]),
      ...Object.keys(world.writers[0]!).map((name) => ({
        ...world,
        writers: [{ ...world.writers[0]!, [name]: 1 }, world.writers[1]!],
      })),
      { ...world, zombie: null },
    ];
    expect(new Set([world, ...changed].map(keyOf)).size).toBe(changed.length + 1);
    expect(copy(world)).toEqual(world);
  });

  it(
    'breaks no invariant in any explored order of writes, steps, crashes, vetoes, epochs and clock ticks',
    () => {
      const { broken, story, states } = explore(OURS, { writers: 1, atMost: STATES });
      expect({ broken, story }).toEqual({ broken: null, story: [] });
      expect(states).toBeGreaterThanOrEqual(100_000);
      console.log(`cut-over: ${states} states`);
    },
    HOURS,
  );

  it('breaks no invariant in any state with two writers and no veto, new epoch, wrong row or crash', () => {
    const { broken, isWhole } = explore(OURS, { writers: 2, isCalm: true, atMost: 1_000_000 });
    expect({ broken, isWhole }).toEqual({ broken: null, isWhole: true });
  });

  for (const [name, change, caughtBy, world] of MUTANTS) {
    it(`would break an invariant if ${name}`, () => {
      const { broken, story } = explore(
        { ...OURS, ...change },
        { writers: 1, ...world, atMost: 1_000_000 },
      );
      expect(broken).toMatch(caughtBy);
      expect(story.length).toBeGreaterThan(3);
    });
  }
});

describe('a shared table', () => {
  it('loses no record and is written only by its owner, in every interleaving up to the rollback', () => {
    const { broken, story, isWhole, states } = search(sharedTable(SHARED_RULES), 1_000_000);
    expect({ broken, story, isWhole }).toEqual({ broken: null, story: [], isWhole: true });
    expect(states).toBeGreaterThan(1000);
    console.log(`shared table: ${states} states`);
  });

  for (const [name, change, caughtBy] of SHARED_MUTANTS) {
    it(`would break an invariant if ${name}`, () => {
      const { broken, story } = search(sharedTable({ ...SHARED_RULES, ...change }), 1_000_000);
      expect(broken).toMatch(caughtBy);
      expect(story.length).toBeGreaterThan(2);
    });
  }
});

describe('a transaction of Sluice for which others wait', () => {
  it('delays no session longer than maxHold, no matter where its worker is suspended', () => {
    expect(search(waiting(WAIT_RULES), 1_000_000)).toMatchObject({
      broken: null,
      story: [],
      isWhole: true,
    });
  });

  for (const [name, change, caughtBy] of WAIT_MUTANTS) {
    it(`would delay a session longer if ${name}`, () =>
      expect(search(waiting({ ...WAIT_RULES, ...change }), 1_000_000).broken).toMatch(caughtBy));
  }
});

describe('the ownership of an object', () => {
  it('is known after any failed request: a rollback drops no foreign object and leaves none of ours', () => {
    expect(search(claims(CLAIM_RULES), 1_000_000)).toMatchObject({
      broken: null,
      story: [],
      isWhole: true,
    });
  });

  for (const [name, change, caughtBy] of CLAIM_MUTANTS) {
    it(`would be wrong if ${name}`, () =>
      expect(search(claims({ ...CLAIM_RULES, ...change }), 1_000_000).broken).toMatch(caughtBy));
  }
});

describe('the guard of the WAL', () => {
  it('limits the WAL of the slot before the commit, and never drops the slot after the commit', () => {
    expect(search(walGuard(GUARD_RULES), 100_000)).toMatchObject({
      broken: null,
      story: [],
      isWhole: true,
    });
  });

  for (const [name, change, caughtBy] of GUARD_MUTANTS) {
    it(`would break an invariant if ${name}`, () =>
      expect(search(walGuard({ ...GUARD_RULES, ...change }), 100_000).broken).toMatch(caughtBy));
  }
});

describe('a comparison at a still point', () => {
  it('never calls a right row wrong or a wrong row right, in any order of writer, connector and pipeline', () => {
    for (const isWrong of [false, true])
      expect(search(stillPoint(STILL_RULES, isWrong), 1_000_000)).toMatchObject({
        broken: null,
        story: [],
        isWhole: true,
      });
  });

  for (const [name, change] of STILL_MUTANTS) {
    it(`would call a right row wrong if ${name}`, () => {
      const { broken, story } = search(stillPoint({ ...STILL_RULES, ...change }, false), 1_000_000);
      expect(broken).toBe('a right row was called wrong');
      expect(story.length).toBeGreaterThan(3);
    });
  }
});

describe('a final window that uses a witness', () => {
  it('never calls a wrong row right, no matter which transactions commit and which events are lost', () =>
    expect(search(witness(WITNESS_RULES), 1_000_000)).toMatchObject({
      broken: null,
      story: [],
      isWhole: true,
    }));

  for (const [name, change] of WITNESS_MUTANTS) {
    it(`would call a wrong row right if ${name}`, () =>
      expect(search(witness({ ...WITNESS_RULES, ...change }), 1_000_000).broken).toBe(
        'a wrong row was called right',
      ));
  }
});

describe('a connector that a window paused', () => {
  it('runs again no matter where a worker dies or is suspended, and a person’s pause stays', () => {
    expect(search(pausedConnector(PAUSE_RULES), 1_000_000)).toMatchObject({
      broken: null,
      story: [],
      isWhole: true,
    });
  });

  for (const [name, change, caughtBy] of PAUSE_MUTANTS) {
    it(`would stay paused, or would lose a pause that a person made, if ${name}`, () =>
      expect(search(pausedConnector({ ...PAUSE_RULES, ...change }), 1_000_000).broken).toMatch(
        caughtBy,
      ));
  }
});
