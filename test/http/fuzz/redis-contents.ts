import { Redis } from 'ioredis';

/** Every key of a Redis with all that is in it, and whether it ends by itself. */
export async function redisContents(url: string): Promise<{ key: string; values: string; expires: boolean }[]> {
  const redis = new Redis(url);
  try {
    const keys = await redis.keys('*');
    return await Promise.all(
      keys.map(async (key) => ({ key, values: await valuesOf(redis, key), expires: (await redis.pttl(key)) > 0 })),
    );
  } finally {
    redis.disconnect();
  }
}

async function valuesOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1', 'WITHSCORES'));
    case 'string':
      return JSON.stringify(await redis.get(key));
    default:
      throw new Error(`${key} is a ${await redis.type(key)}, which the store never makes`);
  }
}
