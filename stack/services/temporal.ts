// Starts Temporal's development server with its Web UI. The server keeps its state in a SQLite
// file, and registers Sluice's search attributes.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../src/domain/migration/search-attribute-names.js';
import { knownTemporal, temporalBinary } from '../fetch.js';
import type { Say } from '../make-once.js';
import type { StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';

export async function startTemporal(home: StackHome, say: Say): Promise<void> {
  const binary = await temporalBinary(say);
  if (alive(home, 'temporal') === undefined) {
    mkdirSync(home.dir, { recursive: true });
    launch(home, {
      name: 'temporal',
      command: binary,
      args: [
        'server',
        'start-dev',
        '--headless=false',
        '--ip',
        '127.0.0.1',
        '--port',
        String(home.ports.temporal),
        '--ui-port',
        String(home.ports.temporalUi),
        '--db-filename',
        join(home.dir, 'temporal.db'),
        '--log-level',
        'error',
        ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => [
          '--search-attribute',
          `${name}=${type}`,
        ]),
      ],
    });
  }
  await untilReady(home, 'temporal', () => {
    execFileSync(
      binary,
      ['operator', 'cluster', 'health', '--address', `127.0.0.1:${home.ports.temporal}`],
      { stdio: 'pipe', timeout: 5000 },
    );
    return Promise.resolve(true);
  });
}

/**
 * Returns the folder that contains an executable named `temporal`, for PATH. Returns null if there
 * is no such executable, for example because the server runs in a container.
 */
export function temporalBinDir(home: StackHome): string | null {
  const binary = knownTemporal();
  if (binary === null) return null;
  if (binary.endsWith('/temporal')) return dirname(binary);
  const dir = join(home.dir, 'bin');
  mkdirSync(dir, { recursive: true });
  const link = join(dir, 'temporal');
  if (!existsSync(link)) symlinkSync(binary, link);
  return dir;
}
