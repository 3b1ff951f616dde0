// What the worker bundles.
export { migrateToStreaming } from './migrate.js';
