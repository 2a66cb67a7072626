import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../apps/api/src/create-app.js';
import { DemoClient } from './demo-client.js';

export interface RunningDemo {
  readonly app: NestFastifyApplication;
  readonly client: DemoClient;
}

/** The application of `main.ts` in this process, on any free port. */
export async function startDemo(): Promise<RunningDemo> {
  const app = await createApp({ logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, client: new DemoClient(await app.getUrl()) };
}
