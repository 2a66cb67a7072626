import { Agent, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { eventually } from 'nestjs-async-endpoints/testing';

const CLIENTS = 4;
const PAUSE_MS = 30;

/**
 * Clients that repeatedly submit a job and read its status, each on one keep-alive connection. They repeat no failed
 * request.
 */
export class Load {
  requests = 0;
  readonly accepted: string[] = [];
  readonly failures: string[] = [];
  readonly #ended: Promise<unknown>;
  #stopping = false;

  /** @param bodies what is submitted, one after the other */
  constructor(
    private readonly url: string,
    private readonly path: string,
    private readonly body: object,
  ) {
    this.#ended = Promise.all(Array.from({ length: CLIENTS }, () => this.#run()));
  }

  /** Waits until `count` more jobs were accepted. */
  async more(count: number): Promise<void> {
    const before = this.accepted.length;
    await eventually(() => this.accepted.length >= before + count, 20_000);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopping) {
      const { id } = await this.#send(agent, 'POST', this.path, 202);
      if (id !== undefined) {
        this.accepted.push(id);
        await this.#send(agent, 'GET', `/jobs/${id}`, 200, 202);
      }
      await setTimeout(PAUSE_MS); // a steady load below the limit of the machine
    }
    agent.destroy();
  }

  async #send(agent: Agent, method: string, path: string, ...expected: number[]): Promise<{ id?: string }> {
    this.requests++;
    try {
      const { status, text } = await this.#ask(agent, method, path);
      if (expected.includes(status)) return JSON.parse(text) as { id: string };
      this.failures.push(`${method} ${path}: ${status} ${text}`);
    } catch (error) {
      this.failures.push(`${method} ${path}: ${String(error)}`);
    }
    return {};
  }

  /** Does not use `fetch`, which would repeat a request whose connection was closed. */
  #ask(agent: Agent, method: string, path: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json' };
      const sent = request(this.url + path, { method, agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode as number, text }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(method === 'POST' ? JSON.stringify(this.body) : undefined);
    });
  }
}
