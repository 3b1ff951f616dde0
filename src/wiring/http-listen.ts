// Opens the HTTP address of a process.
import { once } from 'node:events';
import type { Server } from 'node:http';

/** Listens on `host:port`. Throws the system's error if the address cannot be used. */
export async function listenAt(server: Server, address: string): Promise<void> {
  const at = address.lastIndexOf(':');
  server.listen(Number(address.slice(at + 1)), address.slice(0, at));
  await once(server, 'listening');
}
