// Starts a secured stack with a schema registry, for the suite that runs on one.
import { setupWith } from './stack-setup.js';

export const setup = (): Promise<() => Promise<void>> =>
  setupWith({ secure: true, optional: ['registry'] });
