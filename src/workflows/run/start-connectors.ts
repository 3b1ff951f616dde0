// Starts connectors, and records which connectors must run. The run compares the guard's reports
// with this record.
import { call } from '../call.js';
import type { Run } from './run.js';

type Role = 'source' | 'sink';

/** The roles whose connectors the run creates. An adopted connector is never created. */
export const rolesOf = ({ plan }: Run): readonly Role[] => [
  ...(plan.capture.isAdopted ? [] : (['source'] as const)),
  ...(plan.sink ? (['sink'] as const) : []),
];

const connectorsOf = ({ plan }: Run, role: Role): readonly string[] =>
  role === 'source' ? plan.sourceConnectors : plan.sink ? [plan.sink.connector] : [];

/** Starts the connectors of a role. From then on, a connector that is not running is a problem. */
export async function startConnectors(run: Run, role: Role, summary: string): Promise<void> {
  await run.step(() => resumeConnectors(run, role, summary));
}

/** Like `startConnectors`, but runs inside a step of the caller. */
export async function resumeConnectors(run: Run, role: Role, summary: string): Promise<void> {
  await call('patient', 'resumeConnector', summary, run.ref, role);
  areStarted(run, role);
}

/**
 * Marks the connectors as started. If the guard has reported one of them, the report may be older
 * than the start, so the guard checks again.
 */
export function areStarted(run: Run, role: Role): void {
  if (run.connectors.start(connectorsOf(run, role))) run.renewGuard();
}

/**
 * Records that the run itself will pause or replace these connectors, so that the guard's reports
 * about them do not block the run.
 */
export const holdConnectors = (run: Run, role: Role): void =>
  run.connectors.release(connectorsOf(run, role));

/**
 * Creates the run's connectors again if they were deleted. This runs while the main path waits for
 * something else.
 */
export async function bringBack(run: Run): Promise<void> {
  run.comingBack += 1;
  try {
    for (const role of rolesOf(run)) {
      if (!connectorsOf(run, role).some((name) => run.state.watched.started.includes(name)))
        continue;
      const what = `the ${role} connector if it was deleted`;
      await call('patient', 'ensureConnector', `Create ${what}`, run.ref, role);
      await call('patient', 'resumeConnector', `Start ${what}`, run.ref, role);
      areStarted(run, role);
    }
  } finally {
    run.comingBack -= 1;
  }
  run.show();
}
