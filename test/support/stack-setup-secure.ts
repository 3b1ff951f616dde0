// Starts a secured stack, for the suite that runs on one.
import { setupWith } from './stack-setup.js';

export const setup = (): Promise<() => Promise<void>> => setupWith({ secure: true });
