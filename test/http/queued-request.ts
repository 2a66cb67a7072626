import { JobStore } from 'nestjs-async-endpoints';
import type { RunningApp } from './start-app.js';

/** The queued payload, as a worker gets it. */
export async function queued(app: RunningApp): Promise<unknown> {
  const slots = new Map((await app.all()).map(({ name }) => [name, 1]));
  const [claim] = await app.nest.get(JobStore).claim({ worker: 'test', leaseMs: 60_000, limit: 1, slots });
  return (JSON.parse(claim?.payload ?? '{}') as { request?: unknown }).request;
}
