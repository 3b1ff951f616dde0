// Starts the test stack with a schema registry.
import { setupWith } from './stack-setup.js';

export const setup = (): Promise<() => Promise<void>> => setupWith({ optional: ['registry'] });
