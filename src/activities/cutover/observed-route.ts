// Observes whether consumers read the batch side or the stream side. This code asks the route
// itself, such as the view or the HTTP service. With the routes `none` and `postgres-table`, the
// lease row names the side.
import { Problem, type Blocked } from '../../domain/failure.js';
import type { ObservedRoute } from '../../domain/evidence/ledger-rows.js';
import { classify } from '../runtime/application-failure.js';
import type { Planned } from '../runtime/with-plan.js';
import { routeEffects } from './routes/index.js';
import type { RouteDeps } from './routes/route-adapter.js';

/**
 * Asks the route which side consumers read. Throws Problem `route-unexpected` if they do not read
 * exactly one side.
 */
export async function observedRoute(run: Planned, deps: RouteDeps): Promise<ObservedRoute> {
  const observedAt = new Date().toISOString();
  return { side: await routeEffects(run.plan, deps).observe(run), observedAt };
}

export type RouteProblem = Pick<Blocked, 'code' | 'detail' | 'remedy'>;

/**
 * Checks the route after the commit. Returns null if consumers read the stream. Otherwise, returns
 * a problem that names the side that they read, or says why that side is unknown. Never throws.
 */
export async function routeProblem(run: Planned, deps: RouteDeps): Promise<RouteProblem | null> {
  const asRouteProblem = ({ code, message, remedy }: Problem): RouteProblem => ({
    code,
    detail: message,
    remedy,
  });
  try {
    const { side } = await observedRoute(run, deps);
    return side === 'stream'
      ? null
      : asRouteProblem(
          new Problem(
            'route-unexpected',
            `consumers read the ${side} side, although the stream side was committed`,
          ),
        );
  } catch (error) {
    return asRouteProblem(classify(error));
  }
}
