import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between client and server, and cuts, holds or delays what they say when the test says so. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that clients have opened, ever. */
  accepted = 0;
  /** What clients have sent, all of it. */
  received = '';
  /** For as many answers to come: the connection is cut where the answer would begin. */
  answersToLose = 0;
  /** Cuts the next answer behind this text, of which the client gets all, and nothing that follows. */
  cutBehind: string | null = null;
  /** By which everything that is said later is late. */
  delayMs = 0;
  #held: (() => void)[] | undefined;
  /** What is on its way, late, and when the last of it arrives. */
  readonly #late: (() => void)[] = [];
  #lastAt = 0;
  readonly #stranded = new WeakSet<Socket>();

  private constructor(public target: number) {
    this.#server = createServer((client) => this.#join(client));
  }

  /** A proxy for a port of this machine; closed when the test ends. */
  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    onTestFinished(() => proxy.close());
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that are there now. */
  get open(): number {
    return this.#sockets.size / 2;
  }

  /** Connections that are there still, though nothing is said on them any more. */
  get stranded(): number {
    return [...this.#sockets].filter((socket) => this.#stranded.has(socket)).length / 2;
  }

  cut(): void {
    this.#held = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Says nothing more on the connections that there are, and does not close them. New ones are as ever. */
  strand(): void {
    for (const socket of this.#sockets) this.#stranded.add(socket);
  }

  /** Says nothing on any connection until told to go on, not even that the other side has gone. */
  hold(): void {
    this.#held ??= [];
  }

  /** Says late what it has held back. */
  goOn(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const say of held) say();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    this.accepted++;
    const server = connect(this.target, '127.0.0.1');
    this.#end(client, server);
    this.#end(server, client);
    client.on('data', (chunk: Buffer) => {
      this.received += chunk.toString();
      this.#say(server, chunk);
    });
    server.on('data', (chunk: Buffer) => {
      const end = this.cutBehind === null ? -1 : chunk.indexOf(this.cutBehind);
      if (this.cutBehind !== null && end >= 0) {
        client.end(chunk.subarray(0, end + Buffer.byteLength(this.cutBehind)));
        this.cutBehind = null;
        return server.destroy();
      }
      if (this.answersToLose === 0) return this.#say(client, chunk);
      this.answersToLose--;
      server.destroy(); // or the rest of this answer would count as the next
      return client.destroy();
    });
  }

  #say(to: Socket, chunk: Buffer): void {
    this.#pass(() => {
      if (to.writable && !this.#stranded.has(to)) to.write(chunk);
    });
  }

  #pass(say: () => void): void {
    if (this.#held) this.#held.push(say);
    else if (this.delayMs > 0 || this.#late.length > 0) this.#sayLate(say);
    else say();
  }

  /** Nothing overtakes what was said before it, also when the delay becomes shorter. */
  #sayLate(say: () => void): void {
    const now = performance.now();
    this.#lastAt = Math.max(now + this.delayMs, this.#lastAt);
    this.#late.push(say);
    setTimeout(() => this.#late.shift()?.(), this.#lastAt - now);
  }

  /** What ends one side ends the other. */
  #end(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}); // it was cut
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#pass(() => other.destroySoon());
    });
  }
}
