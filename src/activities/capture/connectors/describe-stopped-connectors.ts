// Describes connectors that are not running because a person paused, stopped or deleted them.
import type { ConnectControl } from '../../../clients/http/connect-control.js';
import { storedConfig } from './connector-state.js';

/**
 * Returns text to append to a reason. The text names the paused, stopped or deleted connectors. It
 * is empty if there is no such connector, or if Kafka Connect does not answer.
 */
export async function stoppedConnectors(
  rest: Pick<ConnectControl, 'status' | 'config' | 'howToResume'>,
  connectors: readonly string[],
): Promise<string> {
  const said: string[] = [];
  for (const name of connectors) {
    const status = await rest.status(name).catch(() => undefined);
    const isGone = async (): Promise<boolean> =>
      (await storedConfig(rest, name).catch(() => undefined)) === null;
    if (status === null && (await isGone()))
      said.push(`connector ${name} no longer exists: it was deleted (sluice rollback cleans up)`);
    else if (status && ['PAUSED', 'STOPPED'].includes(status.connector.state))
      said.push(`connector ${name} is ${status.connector.state}: ${rest.howToResume(name)}`);
  }
  return said.length === 0 ? '' : `; ${said.join('; ')}`;
}
