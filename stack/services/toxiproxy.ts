// Starts Toxiproxy (`--with toxiproxy`) for network faults. At first it has only its API. The
// caller creates the proxies.
import type { Say } from '../make-once.js';
import { toxiproxyBinary } from '../fetch-optional.js';
import type { StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';

export async function startToxiproxy(home: StackHome, say: Say): Promise<void> {
  if (alive(home, 'toxiproxy') === undefined) {
    const command = await toxiproxyBinary(say);
    launch(home, {
      name: 'toxiproxy',
      command,
      args: ['-host', '127.0.0.1', '-port', String(home.ports.toxiproxy)],
    });
  }
  await untilReady(
    home,
    'toxiproxy',
    async () =>
      (
        await fetch(`http://127.0.0.1:${home.ports.toxiproxy}/version`, {
          signal: AbortSignal.timeout(2000),
        })
      ).ok,
  );
}
