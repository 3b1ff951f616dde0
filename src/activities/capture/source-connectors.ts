// Plans the source connectors with the secrets that their configurations name.
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import type { Deps } from '../runtime/deps.js';
import { adapterOf } from './adapters.js';
import type { CaptureDeps, WantedConnector } from './capture-adapter.js';

export type { WantedConnector } from './capture-adapter.js';

const PLACEHOLDER = /^\$\{(env|file):(.+)\}$/;

/**
 * Connect resolves what `connector.config` names and sends it to the source: the same secrets and
 * hosts as for our own sessions.
 */
function allowPlaceholders({ secret }: Pick<Deps, 'secret'>, { spec }: MigrationSpec): void {
  for (const value of Object.values(spec.connector.config)) {
    const [, kind, name] = PLACEHOLDER.exec(value) ?? [];
    if (name)
      secret(kind === 'env' ? { env: name } : { file: name }, [spec.source.postgres.host], 'allow');
  }
}

/**
 * Returns the configurations of all source connectors, or of the one of that name. Throws Problem
 * `preflight-failed` when a plugin or a table is gone.
 */
export function sourceConnectorConfigs(
  deps: CaptureDeps,
  plan: ResolvedPlan,
  only?: string,
): Promise<WantedConnector[]> {
  allowPlaceholders(deps, plan);
  return adapterOf(plan).connectors(deps, plan, plan.capture, only);
}
