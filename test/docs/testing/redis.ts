import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { runJobs } from 'nestjs-async-endpoints/testing';
import { randomUUID } from 'node:crypto';
import { GreetingsModule } from './greetings.js';

describe('POST /greetings with Redis', () => {
  let app: INestApplication;

  beforeEach(async () => {
    const store = new RedisJobStore({ url: process.env.REDIS_URL as string, prefix: `test-${randomUUID()}` });
    const module = await Test.createTestingModule({
      imports: [AsyncEndpointsModule.forRoot({ store, jobs: { retryDelayBaseMs: 0 } }), GreetingsModule],
    }).compile();
    app = module.createNestApplication({ logger: false });
    await app.listen(0);
  });

  afterEach(() => app.close());

  it('completes the job', async () => {
    await fetch(`${await app.getUrl()}/greetings`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Ada' }),
    });
    expect(await runJobs(app)).toMatchObject([{ status: 'Completed', result: 'sent: Hello Ada, from nobody' }]);
  });
});
