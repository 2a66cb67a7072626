import { AsyncEndpointsClient } from 'nestjs-async-endpoints/client';
import { ProcessData } from './jobs.js';

export function clientOf(baseUrl: string, token: () => Promise<string>): AsyncEndpointsClient {
  return new AsyncEndpointsClient({
    baseUrl,
    headers: async () => ({ Authorization: `Bearer ${await token()}` }),
    routes: { ProcessData: '/api/process-data' },
  });
}

export async function process(client: AsyncEndpointsClient, data: string, show: (fraction: number) => void) {
  const job = await client.submit(ProcessData, { data });
  for await (const { progress } of job.events()) show(progress?.fraction ?? 0);
  const { processedData } = await job.wait({ timeoutMs: 60_000 });
  return processedData;
}
