import { setTimeout } from 'node:timers/promises';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import type { Answer } from '../demo/demo-client.js';

const PAUSE_MS = 20;

/** Clients that submit one job after the other, and what they were answered. */
export class Submitters {
  readonly accepted: string[] = [];
  readonly refused: Answer[] = [];
  longestMs = 0;
  #stopping = false;
  readonly #ended: Promise<unknown>;

  constructor(api: AppProcess, count: number) {
    this.#ended = Promise.all(Array.from({ length: count }, () => this.#submit(api)));
  }

  /** Waits until as many more are accepted, or refused. */
  async more(count: number, which: 'accepted' | 'refused', withinMs = 20_000): Promise<void> {
    const before = this[which].length;
    await eventually(() => this[which].length >= before + count, withinMs);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  async #submit({ client }: AppProcess): Promise<void> {
    while (!this.#stopping) {
      const askedAt = performance.now();
      const answer = await client.postJson('/api/process-data', { data: 'text' });
      this.longestMs = Math.max(this.longestMs, performance.now() - askedAt);
      if (answer.status === 202) this.accepted.push((answer.body as { id: string }).id);
      else this.refused.push(answer);
      await setTimeout(PAUSE_MS); // leaves the processor to the processes that are tested
    }
  }
}

export async function statusesOf({ client }: AppProcess): Promise<{ live: number; ready: number }> {
  const [live, readiness] = await Promise.all([client.get('/health/live'), client.get('/health/ready')]);
  return { live: live.status, ready: readiness.status };
}

/** Waits until all of them say that they are ready. */
export async function ready(processes: readonly AppProcess[], withinMs = 20_000): Promise<void> {
  const isReady = async (one: AppProcess) => (await statusesOf(one)).ready === 200;
  await eventually(async () => (await Promise.all(processes.map(isReady))).every(Boolean), withinMs);
}
