// Gives the files of one worker of vitest a namespace and a ledger. The Sluice worker of one file
// therefore takes no tasks of another file, and no file sees the migrations of another.
import { otherDatabase, ownedBy } from './workers.js';

const { namespace, ledger } = ownedBy(Number(process.env['VITEST_POOL_ID']));
process.env['TEMPORAL_NAMESPACE'] = namespace;
process.env['SLUICE_LEDGER_URL'] = otherDatabase(process.env['SLUICE_LEDGER_URL']!, ledger);
