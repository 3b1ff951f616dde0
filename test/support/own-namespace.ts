// Gives the files of one worker of vitest a namespace and a ledger. Two files that run at the same
// time therefore never share tasks, and neither sees the migrations of the other.
import { otherDatabase, ownedBy } from './workers.js';

const { namespace, ledger } = ownedBy(Number(process.env['VITEST_POOL_ID']));
process.env['TEMPORAL_NAMESPACE'] = namespace;
process.env['SLUICE_LEDGER_URL'] = otherDatabase(process.env['SLUICE_LEDGER_URL']!, ledger);
