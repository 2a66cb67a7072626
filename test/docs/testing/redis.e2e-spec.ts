import { startRedisServer } from '@app/redis-server';

const redis = await startRedisServer();
process.env.REDIS_URL = redis.url;
afterAll(() => redis.stop());

await import('./redis.js');
