// Tests what happens after a person has deleted a connector. Only a retry creates it again, because
// the person may have deleted it on purpose.
import { Context } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { failure } from '../support/fake-activities.js';
import { anInput, atApproval, guarded, report, trouble } from '../support/guarded.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();
const CHUNKED = {
  type: 'debezium-postgres',
  url: 'http://127.0.0.1:8083',
  snapshot: 'incremental',
};

describe('a deleted connector', () => {
  it('starts a window at once, and retry creates the connector again', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('gone'), async (scene) => {
      const { handle, status } = scene;
      await atApproval(scene);
      const detail = 'deleted from Kafka Connect: connector gone';
      fake.captureProblem = { code: 'connector-gone', detail, remedy: 'sluice retry' };
      report(fake, trouble('gone', 'connector-gone'));
      await sleepUntil('parked', async () => (await status()).blocked?.detail === detail);
      const made = () => fake.calls.filter((call) => call === 'ensureConnector').length;
      const before = made();
      fake.captureProblem = null;
      await handle.signal('retry');
      await sleepUntil('created', async () => made() > before && !(await status()).blocked);
    });
  });

  it('is created again only by a retry, even if it is deleted a second time', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('twice'), async (scene) => {
      const { handle, status } = scene;
      await atApproval(scene);
      const detail = 'deleted from Kafka Connect: connector twice';
      const made = () => fake.calls.filter((call) => call === 'ensureConnector').length;
      for (const time of ['first', 'second']) {
        const before = made();
        await sleepUntil('watched', () => fake.inputs.at(-1)!.troubles.length === 0);
        fake.captureProblem = { code: 'connector-gone', detail, remedy: 'sluice retry' };
        report(fake, trouble('twice', 'connector-gone'));
        await sleepUntil(`parked the ${time} time`, async () => {
          expect(made()).toBe(before);
          return (await status()).blocked?.detail === detail;
        });
        fake.captureProblem = null;
        await handle.signal('retry');
        await sleepUntil('created', async () => made() > before && !(await status()).blocked);
      }
    });
  });

  it('is created again by retry while the run still catches up', async () => {
    let isCaughtUp = false;
    const catchUp = async (): Promise<{ lsn: string; ms: number }> => {
      while (!isCaughtUp) {
        Context.current().heartbeat();
        await Context.current().sleep(50);
      }
      return { lsn: '0/2', ms: 5 };
    };
    const fake = guarded({ catchUp: catchUp });
    await play(bench, fake.activities, anInput('early'), async (scene) => {
      const { handle, status } = scene;
      await sleepUntil('catching up', () => fake.calls.includes('catchUp'));
      report(fake, trouble('early', 'connector-gone'));
      await sleepUntil('named', async () => (await status()).blocked?.code === 'connector-gone');
      const before = fake.calls.filter((call) => call === 'ensureConnector').length;
      await handle.signal('retry');
      await sleepUntil('created', () => {
        const made = fake.calls.filter((call) => call === 'ensureConnector').length;
        return made === before + 1 && fake.calls.at(-1) === 'resumeConnector';
      });
      await sleepUntil('nothing more', async () => (await status()).blocked === null);
      isCaughtUp = true;
      await atApproval(scene);
    });
  });

  it('is created again by retry if it was deleted while its initial load was repaired', async () => {
    let isGone = true;
    const fake = guarded({
      repeatOverwritten: () =>
        isGone ? Promise.reject(failure('connector-gone', 'deleted')) : Promise.resolve(0),
    });
    await play(
      bench,
      fake.activities,
      anInput('repaired', { connector: CHUNKED }),
      async (scene) => {
        const { handle, status } = scene;
        await sleepUntil(
          'blocked',
          async () => (await status()).blocked?.code === 'connector-gone',
        );
        report(fake, trouble('repaired', 'connector-gone'));
        await sleepUntil('noticed', async () => {
          const audit = await handle.query<{ kind: string }[]>('audit');
          return audit.some(({ kind }) => kind === 'connector');
        });
        const created = () => fake.calls.filter((call) => call === 'ensureConnector').length;
        const before = created();
        await handle.signal('retry');
        await sleepUntil('created', () => created() > before);
        isGone = false;
        await handle.signal('retry');
        await atApproval(scene);
      },
    );
  });

  it('runs again before its initial load is repaired, even if no guard has noticed the deletion', async () => {
    const repairs: string[] = [];
    let state = 'deleted';
    const fake = guarded({
      ensureConnector: () => {
        state = 'stopped';
        return Promise.resolve();
      },
      resumeConnector: async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        state = 'running';
      },
      repeatOverwritten: () => {
        repairs.push(state);
        if (repairs.length > 1) return Promise.resolve(0);
        state = 'deleted';
        return Promise.reject(failure('connector-gone', 'deleted'));
      },
    });
    await play(
      bench,
      fake.activities,
      anInput('chunked', { connector: CHUNKED }),
      async (scene) => {
        const { handle, status } = scene;
        await sleepUntil(
          'blocked',
          async () => (await status()).blocked?.code === 'connector-gone',
        );
        await handle.signal('retry');
        await atApproval(scene);
      },
    );
    expect(repairs).toEqual(['running', 'running']);
  });

  it('is not created again after a rollback has removed it', async () => {
    const ends: string[] = [];
    const fake = guarded({
      catchUp: () => Context.current().cancelled,
      ensureConnector: async () => {
        const isAgain = fake.calls.includes('catchUp');
        if (isAgain) await new Promise((resolve) => setTimeout(resolve, 3000));
        if (isAgain) ends.push('created');
      },
      removeConnector: () => {
        ends.push('removed');
        return Promise.resolve(false);
      },
    });
    await play(bench, fake.activities, anInput('back'), async (scene) => {
      const { handle, status } = scene;
      await sleepUntil('catching up', () => fake.calls.includes('catchUp'));
      report(fake, trouble('back', 'connector-gone'));
      await sleepUntil('named', async () => (await status()).blocked?.code === 'connector-gone');
      const before = fake.calls.filter((call) => call === 'ensureConnector').length;
      await handle.signal('retry');
      await sleepUntil('being created', () => {
        return fake.calls.filter((call) => call === 'ensureConnector').length > before;
      });
      await handle.signal('rollBack', { by: 'ann', reason: 'enough' });
      await sleepUntil('the end', async () => (await status()).outcome === 'rolled-back');
    });
    expect(ends).toEqual(['created', 'removed']);
  });

  it("that is being created again delays no continue-as-new, and no person's message gets lost", async () => {
    let mayEnd = false;
    let mayCreate = false;
    const until = (what: string, isOver: () => boolean) =>
      sleepUntil(what, () => {
        Context.current().heartbeat();
        return isOver();
      });
    const fake = guarded({
      catchUp: async () => {
        await until('caught up', () => mayEnd);
        return { lsn: '0/2', ms: 5 };
      },
      ensureConnector: async () => {
        if (fake.calls.includes('catchUp')) await until('created', () => mayCreate);
      },
    });
    await play(bench, fake.activities, anInput('leaving'), async (scene) => {
      const { handle, status } = scene;
      const runId = async () => (await handle.describe()).runId;
      const before = await runId();
      await sleepUntil('catching up', () => fake.calls.includes('catchUp'));
      report(fake, trouble('leaving', 'connector-gone'));
      await sleepUntil('named', async () => (await status()).blocked?.code === 'connector-gone');
      await handle.signal('retry');
      await sleepUntil('being created', () => fake.calls.at(-1) === 'ensureConnector');
      for (let sent = 0; sent < 1500; sent += 100)
        await Promise.all(Array.from({ length: 100 }, () => handle.signal('resume')));
      mayEnd = true;
      await sleepUntil('continued as new', async () => (await runId()) !== before, 10_000);
      await handle.signal('pause');
      mayCreate = true;
      await sleepUntil('paused', async () => (await status()).paused);
    });
  });

  it('is created again by retry, even if the time limit of the catch-up has passed', async () => {
    let isBack = false;
    let attempts = 0;
    const fake = guarded({
      catchUp: async () => {
        attempts += 1;
        const isAfter = attempts > 1;
        await sleepUntil(isAfter ? 'created' : 'reported', () => {
          Context.current().heartbeat();
          return isAfter ? isBack : fake.inputs.at(-1)!.troubles.length > 0;
        });
        if (!isAfter) throw failure('catch-up-timeout', 'not caught up after 1h');
        return { lsn: '0/2', ms: 5 };
      },
      resumeConnector: () => {
        isBack = attempts > 0;
        return Promise.resolve();
      },
    });
    await play(bench, fake.activities, anInput('too-late'), async (scene) => {
      const { handle, status } = scene;
      await sleepUntil('catching up', () => fake.calls.includes('catchUp'));
      report(fake, trouble('too-late', 'connector-gone'));
      const isOver = async () => (await status()).blocked?.code === 'catch-up-timeout';
      await sleepUntil('the time is over', isOver);
      await handle.signal('retry');
      await sleepUntil('created', () => isBack, 20_000);
      await atApproval(scene);
    });
  });
});
