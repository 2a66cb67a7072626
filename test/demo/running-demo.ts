import { devNull } from 'node:os';
import { configuration } from '@app/demo';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../apps/api/src/create-app.js';
import { DemoClient } from './demo-client.js';

export interface RunningDemo {
  readonly app: NestFastifyApplication;
  readonly client: DemoClient;
}

/** The application of `main.ts` in this process, on any free port. */
export async function startDemo(): Promise<RunningDemo> {
  // Whatever the environment and the folder of the one who runs the tests say.
  const app = await createApp(configuration(['all'], { env: {}, cwd: devNull }), { logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, client: new DemoClient(await app.getUrl()) };
}
