// catch-up: barriers in a row through source, connector, pipeline, output and sink, each within its time.
import { call } from '../activities.js';
import type { Run } from '../run.js';

export async function catchUp(run: Run): Promise<void> {
  const { barriers, within } = run.spec.catchUp;
  const reached = await run.step(() => call('long', 'catchUp', `${barriers} barriers in a row, each within ${within}`, run.ref));
  run.state.lag = { ...run.state.lag, ms: reached.ms };
  run.audit('caught-up', `barrier at ${reached.lsn} in ${reached.ms} ms`);
}
