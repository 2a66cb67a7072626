import type { Redis } from 'ioredis';

const LEAST_VERSION = [6, 2] as const;

/** @throws Error where the server is too old to run the scripts */
export async function requireVersion(client: Redis): Promise<void> {
  const text = await client.info('server');
  const version = /^redis_version:(\d+)\.(\d+)\S*/m.exec(text);
  if (!version) return; // not everything that speaks the protocol says what it is
  const [, major, minor] = version.map(Number) as [number, number, number];
  if (major > LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor >= LEAST_VERSION[1])) return;
  throw new Error(`Redis ${major}.${minor} is too old; RedisJobStore needs ${LEAST_VERSION.join('.')} or newer.`);
}

/** What an operator should know of the server's settings; nothing where `CONFIG` may not be read. */
export async function settingsWarnings(client: Redis): Promise<string[]> {
  try {
    const get = async (name: string) => (await client.config('GET', name))[1] ?? '';
    const [policy, memory, aof, save] = [
      await get('maxmemory-policy'),
      await get('maxmemory'),
      await get('appendonly'),
      await get('save'),
    ];
    return [
      ...(memory !== '0' && policy !== 'noeviction'
        ? [`Redis may evict jobs when its memory is full: set maxmemory-policy to noeviction (it is ${policy}).`]
        : []),
      ...(aof === 'no' && save === '' ? ['Redis keeps nothing on disk: jobs are lost when it restarts.'] : []),
    ];
  } catch {
    return [];
  }
}
