// Starts the test stack with Flink.
import { setupWith } from './stack-setup.js';

export const setup = (): Promise<() => Promise<void>> => setupWith({ optional: ['flink'] });
