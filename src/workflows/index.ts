// Exports the workflows that the worker bundles.
export { migrateToStreaming } from './migrate.js';
export { proveOnSlice } from './prove.js';
export { sweepLeftovers } from './sweep.js';
