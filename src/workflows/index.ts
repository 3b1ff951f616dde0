// What the worker bundles.
export { migrateToStreaming } from './migrate.js';
export { sweepLeftovers } from './sweep.js';
