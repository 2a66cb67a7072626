import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';

const PROBE_MS = 50;

/**
 * Behaves like a Kubernetes Service: each new connection goes to the next ready backend, and stays there. It repeats
 * nothing, so a client sees every refused or broken connection.
 */
export class Balancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #backends: readonly AppProcess[] = [];
  #ready: readonly AppProcess[] = [];
  #turn = 0;

  private constructor() {
    this.#server = createServer((client) => this.#join(client));
  }

  /** Closed when the test ends. */
  static async start(backends: readonly AppProcess[]): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    const probing = balancer.#probe();
    onTestFinished(async () => {
      for (const socket of balancer.#sockets) socket.destroy();
      balancer.#server.close();
      await probing;
    });
    await balancer.select(backends);
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The backends from now on; connections to others stay. Resolves when all of them are ready, and get connections. */
  async select(backends: readonly AppProcess[]): Promise<void> {
    this.#backends = backends;
    await eventually(
      () => this.#ready.length === backends.length && backends.every((one) => this.#ready.includes(one)),
    );
  }

  async #probe(): Promise<void> {
    while (this.#server.listening) {
      const backends = this.#backends;
      const answers = await Promise.all(backends.map(isReady));
      this.#ready = backends.filter((_backend, index) => answers[index]);
      await setTimeout(PROBE_MS); // load balancers probe at an interval
    }
  }

  #join(client: Socket): void {
    const backend = this.#ready[this.#turn++ % this.#ready.length];
    if (!backend) return void client.destroy();
    const server = connect(Number(new URL(backend.client.url).port), '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroySoon();
      });
    }
  }
}

async function isReady({ client }: AppProcess): Promise<boolean> {
  try {
    return (await client.get('/health/ready')).status === 200;
  } catch {
    return false;
  }
}
