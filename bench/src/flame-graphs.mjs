// Writes docs/images/flame-submit.svg and flame-status.svg: profiles an API on Fastify and Redis under load. `npm run bench:flame`.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileTo, startChild, stopChildren } from './child.mjs';
import { flameGraph } from './flame-graph.mjs';
import { readLoad, submitLoad } from './load/load.mjs';
import { startRedis, stopServers } from './redis-server.mjs';
import { statusPaths } from './rows/status-over-http.mjs';

const IMAGES = new URL('../../docs/images/', import.meta.url);
const SHAPE = { seconds: 10, connections: 64 };

const redis = await startRedis();
const paths = await statusPaths(redis, { api: startChild('ours.mjs'), worker: startChild('ours.mjs') });
await stopChildren();
const status = await profileOf((url) => readLoad(url, paths, SHAPE));
await writeFile(new URL('flame-status.svg', IMAGES), flameGraph(status, 'GET /jobs/{id}, completed: Fastify, Redis'));
await redis.client.flushall();
const submit = await profileOf((url) => submitLoad(`${url}/jobs/new`, SHAPE));
await writeFile(new URL('flame-submit.svg', IMAGES), flameGraph(submit, 'POST → 202: Fastify, Redis'));
await stopServers();

async function profileOf(load) {
  const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-profile-'));
  profileTo(folder);
  const server = startChild('http-server.mjs');
  await load(await server.call('start', { side: 'redis', adapter: 'Fastify', port: redis.port }));
  await stopChildren(); // the load may have a process of its own
  const profiles = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
  await rm(folder, { recursive: true });
  return JSON.parse(profiles.toSorted((a, b) => b.length - a.length)[0]);
}
