// The test stack with Flink beside it.
import { setupWith } from './stack-setup.js';

export const setup = (): Promise<() => Promise<void>> => setupWith('flink');
