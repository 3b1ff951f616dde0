// Describes connectors that are not running because a person paused, stopped or deleted them.
import type { ConnectRest } from '../../../clients/http/connect-rest.js';
import { storedConfig } from './connector-state.js';

/**
 * Returns text to append to a reason. The text names the paused, stopped or deleted connectors. It
 * is empty if all connectors are running, or if Kafka Connect does not answer.
 */
export async function stoppedConnectors(
  rest: Pick<ConnectRest, 'status' | 'config'>,
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
      said.push(
        `connector ${name} is ${status.connector.state}: resume it through Kafka Connect's REST API (PUT /connectors/${name}/resume)`,
      );
  }
  return said.length === 0 ? '' : `; ${said.join('; ')}`;
}
