// Names what each worker of vitest owns on the shared stack, so that two files can run at the same
// time.

/** The number of test files that run at the same time. */
export const WORKERS = 2;

/** The namespace of Temporal and the database of the ledger. `worker` counts from 1. */
export const ownedBy = (worker: number): { namespace: string; ledger: string } => ({
  namespace: `files-${worker}`,
  ledger: `sluice_ledger_${worker}`,
});

/** Returns the URL of a different database on the server of `url`. */
export function otherDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
