// sluice dashboard: prints one self-contained HTML page with every migration that has a status in
// the ledger. Data from Temporal completes that status.
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
