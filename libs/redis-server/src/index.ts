export { freePort } from './free-port.js';
export { redisCli } from './redis-cli.js';
export { type RedisServer, startRedisServer } from './redis-server.js';
export { type RedisCluster, startRedisCluster } from './redis-cluster.js';
export { type RedisSentinel, startRedisSentinel, startSentinelOf } from './redis-sentinel.js';
