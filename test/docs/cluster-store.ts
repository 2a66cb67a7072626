import { RedisJobStore } from 'nestjs-async-endpoints/redis';

export function clusterStore(nodes: { host: string; port: number }[]): RedisJobStore {
  return new RedisJobStore({ cluster: { nodes }, partitions: 16 });
}
