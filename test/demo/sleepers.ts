import type { DemoClient } from './demo-client.js';

/** Submits jobs that sleep for longer than any test, one after the other, so that they start in this order. */
export async function sleepers(client: DemoClient, count: number): Promise<string[]> {
  const locations: string[] = [];
  while (locations.length < count) locations.push(await client.submit('/api/demo/sleep', { durationMs: 600_000 }));
  return locations;
}
