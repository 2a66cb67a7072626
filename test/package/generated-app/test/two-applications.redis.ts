import { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { App } from 'supertest/types';
import { AsyncEndpointsModule, JobStore } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { ProcessDataController, ProcessDataHandler } from './../src/process-data';

async function start(store: JobStore): Promise<INestApplication<App>> {
  const module = await Test.createTestingModule({
    imports: [AsyncEndpointsModule.forRoot({ store })],
    controllers: [ProcessDataController],
    providers: [ProcessDataHandler],
  }).compile();
  const app = module.createNestApplication<INestApplication<App>>();
  return app.init();
}

function process(app: INestApplication<App>) {
  return request(app.getHttpServer()).post('/process-data').set('Prefer', 'wait=20').send({ data: 'text' });
}

describe('Two applications on one Redis', () => {
  const prefix = `test-${randomUUID()}`;
  const newStore = () => new RedisJobStore({ url: globalThis.process.env.REDIS_URL, prefix });
  const shared = newStore();

  it.each([
    ['a store each', newStore],
    ['one store', () => shared],
    ['the store of applications that were closed', () => shared],
  ])('with %s know the same jobs, and closing one leaves the other alone', async (_what, storeOf) => {
    const first = await start(storeOf());
    const second = await start(storeOf());
    try {
      const { body } = await process(first).expect(200);
      await request(second.getHttpServer()).get(`/jobs/${body.id}/result`).expect(200, body.result);
      await first.close();
      await process(second).expect(200);
    } finally {
      await second.close();
    }
  });
});
