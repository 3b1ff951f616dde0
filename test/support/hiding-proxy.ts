// Runs a proxy in front of Postgres. It gives each session a wrong process id, as connection
// poolers do.
import { createServer, connect, type AddressInfo, type Server } from 'node:net';

const KEY_DATA = 'K'.charCodeAt(0);
const NO_TLS = 'N'.charCodeAt(0);

/**
 * Changes the session's process id in the message that contains it, and passes on all other bytes
 * unchanged. A message begins with a type and a length. Only the answer to a request for TLS is a
 * single byte.
 */
class FirstMessages {
  #held = Buffer.alloc(0);
  #isFirst = true;
  #isDone = false;

  pass(chunk: Buffer): Buffer {
    if (this.#isDone) return chunk;
    this.#held = Buffer.concat([this.#held, chunk]);
    const passed: Buffer[] = [];
    for (let size = this.#size(); size > 0 && !this.#isDone; size = this.#size()) {
      const message = this.#held.subarray(0, size);
      if (size > 1 && message[0] === KEY_DATA) {
        message.writeInt32BE(message.readInt32BE(5) + 1, 5);
        this.#isDone = true;
      }
      passed.push(message);
      this.#held = this.#held.subarray(size);
      this.#isFirst = false;
    }
    if (this.#isDone) passed.push(this.#held);
    return Buffer.concat(passed);
  }

  /**
   * Returns the size of the first message in the buffer, or zero if that message is not complete.
   */
  #size(): number {
    if (this.#isFirst && this.#held[0] === NO_TLS) return 1;
    if (this.#held.length < 5) return 0;
    const size = 1 + this.#held.readInt32BE(1);
    return this.#held.length < size ? 0 : size;
  }
}

/** Starts the proxy in front of `target`. Returns its port. */
export async function hidingProxy(target: number): Promise<{ port: number; server: Server }> {
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const first = new FirstMessages();
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => client.write(first.pass(chunk)));
    upstream.on('close', () => client.destroy());
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}
