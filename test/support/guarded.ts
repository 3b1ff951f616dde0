// Provides a fake guard whose reports a workflow test chooses.
import { Context } from '@temporalio/activity';
import type { GuardInput, GuardReport } from '../../src/activities/guard/guard-activities.js';
import type { ConnectorTrouble } from '../../src/domain/capture/connector-trouble.js';
import { aSpecInput, sleepUntil } from './builders.js';
import { fakes, type Fakes } from './fake-activities.js';
import type { Play } from './time-skipping.js';

export const trouble = (
  connector: string,
  code: ConnectorTrouble['code'],
  more: Partial<ConnectorTrouble> = {},
): ConnectorTrouble => ({
  connector,
  code,
  detail: `connector ${connector}: ${code}`,
  remedy: 'repair it',
  blocks: true,
  ...more,
});

export interface Guarded extends Fakes {
  /** The next reports of the guard, in order. */
  readonly reports: GuardReport[];
  /** The inputs with which the guard was called. */
  readonly inputs: GuardInput[];
}

/**
 * Provides fake activities with a guard that reports what the test puts into `reports`. The test
 * server skips no time while the guard watches, so a wait of an hour would really last an hour.
 */
export function guarded(overrides: Parameters<typeof fakes>[0] = {}): Guarded {
  const reports: GuardReport[] = [];
  const inputs: GuardInput[] = [];
  const guard = async (input: GuardInput): Promise<GuardReport> => {
    const number = inputs.push(input);
    for (;;) {
      // the run ignores a guard that it has replaced, so such a guard must take no report
      if (inputs.length > number) return { kind: 'stood-down' };
      const report = reports.shift();
      if (report) return report;
      Context.current().heartbeat();
      await Context.current().sleep(50);
    }
  };
  return Object.assign(fakes({ guard, ...overrides }), { reports, inputs });
}

export const anInput = (name: string, more: object = {}) =>
  aSpecInput({
    name,
    spec: { validation: { every: '1h', passesInARow: 1 }, soak: { for: '1h', passes: 1 }, ...more },
  }) as { metadata: { name: string } };

export const atApproval = ({ status }: Play) =>
  sleepUntil('approval', async () => (await status()).needsApproval);

export const report = (fake: Guarded, ...troubles: ConnectorTrouble[]): void =>
  void fake.reports.push({ kind: 'connectors', troubles });
