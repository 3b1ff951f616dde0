// Gives the test files of one worker of vitest their own namespace and ledger. Two files that run
// at the same time are in different workers. So they never share tasks, and neither sees the
// migrations of the other.
import { otherDatabase, ownedBy } from './workers.js';

const { namespace, ledger } = ownedBy(Number(process.env['VITEST_POOL_ID']));
process.env['TEMPORAL_NAMESPACE'] = namespace;
process.env['SLUICE_LEDGER_URL'] = otherDatabase(process.env['SLUICE_LEDGER_URL']!, ledger);
