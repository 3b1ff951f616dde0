// Starts a separate stack for tests that need real services. It has its own name and ports, and its
// state is deleted at the end. SLUICE_TEST_STACK=running uses the stack that the environment names
// instead (`npm run -s stack -- env`), and does not stop it.
import { stackHome } from '../../stack/paths.js';
import { environment, reset, up, type OptionalService } from '../../stack/stack.js';

const say = (line: string): void => console.error(`stack: ${line}`);

export default function setup(): Promise<() => Promise<void>> {
  return setupWith();
}

export async function setupWith(...optional: OptionalService[]): Promise<() => Promise<void>> {
  if (process.env['SLUICE_TEST_STACK'] === 'running') return () => Promise.resolve();
  process.env['SLUICE_STACK_NAME'] ??= 'test';
  process.env['SLUICE_STACK_PORT_BASE'] ??= '18400';
  const home = stackHome();
  await reset(home, say);
  try {
    await up(home, say, optional);
  } catch (error) {
    await reset(home, say);
    throw error;
  }
  Object.assign(process.env, await environment(home, say));
  return async () => reset(home, say);
}
