// Creates and removes connectors. A new connector is STOPPED, so that its configuration can be read
// back before the connector does anything.
import type { ConnectControl } from '../../clients/http/connect-control.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { Problem } from '../../domain/failure.js';
import { sourceConnectorConfigs } from '../capture/connectors/source-connectors.js';
import { pollUntil } from '../runtime/poll-until.js';
import {
  STATE_TIMEOUT_MS,
  deleteOffsets,
  stopSurely,
  storedConfig,
} from '../capture/connectors/connector-state.js';
import { askEach, type Asking, type OwnedKind, type Site } from './owned-kind.js';
import { sinkConfig } from '../capture/connectors/current-sink.js';

const rest = ({ systems, plan }: Asking): ConnectControl => systems.connect(plan);

const exists = async (asking: Asking, { name }: OwnedObject): Promise<boolean> =>
  (await rest(asking).config(name)) !== null;

/**
 * Unlike `exists`, asks several times before it returns false. A Connect worker that has just
 * started does not know any connector yet.
 */
const mayExist = async (asking: Asking, { name }: OwnedObject): Promise<boolean> =>
  (await storedConfig(rest(asking), name)) !== null;

/**
 * Waits until a connector exists or, if `wanted` is false, until it is gone. Connect writes each
 * change to a topic and reads that topic, so a change is visible only a moment later.
 */
const untilExists = (asking: Asking, object: OwnedObject, wanted: boolean): Promise<unknown> =>
  pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () =>
    (await exists(asking, object)) === wanted ? true : null,
  );

/** Returns the configuration that the connector must have now. */
export async function configOf(
  site: Site,
  { name }: OwnedObject,
): Promise<Readonly<Record<string, string>>> {
  const { plan } = site;
  if (name === plan.sink?.connector) return sinkConfig(site, site);
  const [wanted] = await sourceConnectorConfigs(site, plan, name);
  if (!wanted) throw new Error(`connector ${name} is not part of the plan`);
  return wanted.config;
}

export const connector: OwnedKind = {
  exists,
  mayExist,
  create: async (site, object) => {
    await rest(site).createStopped(object.name, await configOf(site, object));
    await untilExists(site, object, true);
  },
  /** Also deletes the offsets, because a later connector of that name would continue from them. */
  remove: async (site, object) => {
    const { name } = object;
    if (await stopSurely(rest(site), name)) await deleteOffsets(rest(site), name);
    // with Strimzi, a KafkaConnector resource can exist without its connector
    else if (!(await exists(site, object))) return;
    if (!(await rest(site).delete(name)) && (await mayExist(site, object)))
      throw new Problem(
        'clean-up',
        `connector ${name} was not deleted: Connect had just restarted`,
      );
    await untilExists(site, object, false);
  },
  healthy: async (site, { name }) => {
    const status = await rest(site).status(name);
    const states = status
      ? [status.connector.state, ...status.tasks.map((task) => task.state)]
      : ['missing'];
    return states.length > 1 && states.every((state) => state === 'RUNNING')
      ? null
      : `is ${states.join(', ')}`;
  },
  nameCheck: { check: 'connect.name-free', taken: askEach(exists) },
};
