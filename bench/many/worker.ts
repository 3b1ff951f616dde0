// Runs the worker of `npm run bench -- many`, which is Sluice's worker with Sluice's activities. If
// a migration's name begins with `faked-`, its activities do not reach a source, Kafka or Connect.
// The worker measures how long each activity waited for its start. It reports its figures when its
// parent process asks.
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Activities } from '../../src/activities/index.js';
import { pause } from '../../src/activities/runtime/poll-until.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { loadConfig } from '../../src/wiring/config.js';
import { queueFor, TASK_QUEUE } from '../../src/domain/migration/task-queues.js';
import { runWorker } from '../../src/wiring/worker.js';
import { fakes } from '../../test/support/fake-activities.js';
import { FAKED, type Sample, type Start } from './sample.js';

/** Activities that touch only the ledger or this process, so they are real for every migration. */
const NEVER_FAKED = new Set(['openMigration', 'record', 'dropFolds', 'findHoldSlot', 'readEdit']);
const GUARD_POLL_MS = 1000;
const GUARD_LEDGER_EVERY = 5;
const FAKED_WINDOW_MS = 200;

type Run = (...args: never[]) => Promise<unknown>;

const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
const underWay = new Map<string, number>();
let starts: Start[] = [];

const faked = fakes({
  // like the real guard, this fake wakes every second and reads the ledger every five seconds
  guard: async ({ ref }) => {
    for (let round = 0; ; round += 1) {
      if (round % GUARD_LEDGER_EVERY === 0) await ledger.openObjects(ref.name);
      await pause(GUARD_POLL_MS);
    }
  },
});

/** Returns the name of the migration that an activity works for. */
function migrationOf([first]: readonly unknown[]): string {
  const input = (first ?? {}) as { ref?: { name?: string }; name?: string };
  return input.ref?.name ?? input.name ?? '';
}

/**
 * Wraps an activity, so that it records its start and the number of running activities of its kind.
 */
function timed(name: string, run: Run): Run {
  return async (...args) => {
    const { taskQueue, currentAttemptScheduledTimestampMs } = Context.current().info;
    const kind = migrationOf(args).startsWith(FAKED) ? `faked ${name}` : name;
    starts.push({
      name,
      queue: taskQueue,
      waitedMs: Math.max(0, Date.now() - currentAttemptScheduledTimestampMs),
    });
    underWay.set(kind, (underWay.get(kind) ?? 0) + 1);
    try {
      return await run(...args);
    } finally {
      underWay.set(kind, underWay.get(kind)! - 1);
    }
  };
}

function withFakes(real: Activities): Activities {
  const either = Object.entries(real).map(([name, run]) => {
    const fake = faked.activities[name as keyof Activities] as Run;
    const choose: Run = async (...args) => {
      if (NEVER_FAKED.has(name) || !migrationOf(args).startsWith(FAKED))
        return (run as Run)(...args);
      if (name === 'runWindow') await sleep(FAKED_WINDOW_MS);
      return fake(...args);
    };
    return [name, timed(name, choose)];
  });
  return Object.fromEntries(either) as Activities;
}

/** Describes this process after a garbage collection, and the starts since the last sample. */
function sample(): Sample {
  for (const list of [faked.calls, faked.full]) list.length = 0; // the fakes append to these lists at every call
  globalThis.gc?.();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const { rss, heapUsed, external } = process.memoryUsage();
  const taken = starts;
  starts = [];
  return {
    at: Date.now(),
    rss,
    heapUsed,
    external,
    cpuMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000,
    resources,
    underWay: Object.fromEntries(underWay),
    starts: taken,
  };
}

process.on('message', () => process.send!(sample()));
await runWorker(loadConfig(), {
  say: (line) => console.error(line),
  onReady: () => console.error(`worker is ready (${queueFor(TASK_QUEUE, 'steps')})`),
  instead: withFakes,
});
process.exit(0);
