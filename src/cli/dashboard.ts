// sluice dashboard: every migration on one self-contained HTML page, from the ledger alone.
import { renderDashboard } from '../report/dashboard.js';
import { withLedger } from './access.js';
import { EXIT, write } from './output.js';

export async function dashboard(): Promise<number> {
  const newest = await withLedger(async (ledger) => {
    const all = await ledger.migrations();
    return all.filter((m, at) => all.findIndex((other) => other.name === m.name) === at).flatMap((m) => (m.status ? [m.status] : []));
  });
  write(renderDashboard(newest, new Date().toISOString()));
  return EXIT.ok;
}
