// A stack of its own for tests that need real services: other name, other ports than a person's; state deleted at the end.
import { stackHome } from '../../stack/paths.js';
import { environment, reset, up, type OptionalService } from '../../stack/stack.js';

const say = (line: string): void => console.error(`stack: ${line}`);

export default function setup(): Promise<() => Promise<void>> {
  return setupWith();
}

export async function setupWith(...optional: OptionalService[]): Promise<() => Promise<void>> {
  process.env['SLUICE_STACK_NAME'] ??= 'test';
  process.env['SLUICE_STACK_PORT_BASE'] ??= '18400';
  const home = stackHome();
  await reset(home, say);
  await up(home, say, optional);
  Object.assign(process.env, await environment(home, say));
  return async () => reset(home, say);
}
