// sluice dashboard: prints one self-contained HTML page with every migration, from the ledger and
// from Temporal.
import { renderDashboard } from '../report/dashboard-page.js';
import { newestOfEach } from './list.js';
import { EXIT, write } from './support/output.js';

export async function dashboard(): Promise<number> {
  const newest = await newestOfEach();
  write(
    renderDashboard(
      newest.flatMap(({ record, status }) =>
        record.status ? [{ ...status, recordedAt: record.updated_at.toISOString() }] : [],
      ),
      new Date().toISOString(),
    ),
  );
  return EXIT.ok;
}
