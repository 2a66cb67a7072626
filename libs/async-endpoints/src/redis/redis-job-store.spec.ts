import { randomUUID } from 'node:crypto';
import { describeJobStore, type StoreUnderTest } from '../testing/index.js';
import { checkAgainstModel } from '../testing/job-store.properties.js';
import { RedisJobStore } from './redis-job-store.js';
import { type RedisServer, startRedisServer } from './redis-server.testing.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});

afterAll(() => server.stop());

async function create(): Promise<StoreUnderTest> {
  let now = 1_000_000;
  const store = new RedisJobStore({ url: server.url, prefix: randomUUID(), now: () => now });
  await store.open();
  return { store, advance: (ms) => void (now += ms), dispose: () => store.close() };
}

describeJobStore('RedisJobStore', create);

describe('RedisJobStore, compared with the lifecycle model', () => {
  it('answers as the model over 200 random histories', () => checkAgainstModel(create, 200), 120_000);
});
