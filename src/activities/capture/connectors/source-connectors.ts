// Builds the configurations of the source connectors, and checks that the secrets in them are
// allowed.
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { brokersOfConnect, hostsOf, tlsFilesOf } from '../../../domain/migration/cluster-access.js';
import type { MigrationSpec } from '../../../domain/migration/spec.js';
import type { Deps } from '../../runtime/deps.js';
import { adapterOf } from '../index.js';
import type { CaptureDeps, WantedConnector } from '../capture-adapter.js';

export type { WantedConnector } from '../capture-adapter.js';

const PLACEHOLDER = /^\$\{(env|file):(.+)\}$/;

/**
 * Checks the placeholders of the connectors against the operator's rules in SLUICE_SECRETS. Kafka
 * Connect resolves the placeholders, and sends the secrets to the source, the brokers, the token
 * endpoint or the registry. Therefore the rules must allow each secret for the host that gets it.
 * The same rules apply to Sluice's own sessions.
 */
function allowPlaceholders({ secret }: Pick<Deps, 'secret'>, { spec }: MigrationSpec): void {
  for (const value of Object.values(spec.connector.config)) {
    const [, kind, name] = PLACEHOLDER.exec(value) ?? [];
    if (name)
      secret(kind === 'env' ? { env: name } : { file: name }, [spec.source.postgres.host], 'allow');
  }
  const { registry } = spec.kafka;
  if (registry?.auth) {
    const { auth, url } = registry;
    const named = 'tokenFrom' in auth ? auth.tokenFrom : auth.passwordFrom;
    secret(named, [new URL(url).hostname], 'allow');
  }
  if (spec.connector.snapshot !== 'incremental') return;
  const brokers = hostsOf(brokersOfConnect(spec));
  const key = tlsFilesOf(spec.kafka)?.key;
  if (key !== undefined) secret({ file: key }, brokers, 'allow');
  const { sasl } = spec.kafka;
  if (sasl?.mechanism === 'oauthbearer') {
    if ('url' in sasl.token)
      secret(sasl.token.clientSecretFrom, [new URL(sasl.token.url).hostname], 'allow');
  } else if (sasl) secret(sasl.passwordFrom, brokers, 'allow');
}

/**
 * Returns the configurations of all source connectors. If `only` is given, returns only the
 * configuration of that connector. Throws Problem `preflight-failed` if a plugin or a table does
 * not exist.
 */
export function sourceConnectorConfigs(
  deps: CaptureDeps,
  plan: ResolvedPlan,
  only?: string,
): Promise<WantedConnector[]> {
  allowPlaceholders(deps, plan);
  return adapterOf(plan).connectors(deps, plan, plan.capture, only);
}
