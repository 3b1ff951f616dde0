// Starts only Postgres, for test files that need no other service of the stack.
import { setupPostgres } from './stack-setup.js';

export const setup = (): Promise<() => Promise<void>> => setupPostgres();
