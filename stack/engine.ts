// Finds the engine that runs containers: Docker or Podman.
import { spawnSync } from 'node:child_process';
import type { Say } from './make-once.js';

/** Returns whether the command ends without an error within 10 s. */
export const doesAnswer = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;

/**
 * Returns the command of the engine. Docker comes first, because its CLI also reaches Podman if
 * DOCKER_HOST names the socket of Podman.
 */
export function engineOf(): 'docker' | 'podman' {
  if (doesAnswer('docker', 'version')) return 'docker';
  if (doesAnswer('podman', 'version')) return 'podman';
  throw new Error(
    'neither a Docker engine nor Podman answers: start one, or set DOCKER_HOST to its socket',
  );
}

/**
 * Suggests containers if a Docker engine answers and the programs of the stack are not yet in the
 * cache. In containers, the servers need no Java, Maven or Go compiler on this machine.
 */
export function offerContainers(hasParts: boolean, say: Say): void {
  if (!hasParts && doesAnswer('docker', 'version'))
    say(
      'a Docker engine answers here: to use images instead, stop this, and run `docker compose up --wait`',
    );
}
