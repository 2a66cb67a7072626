import { fileURLToPath } from 'node:url';
import { HERE, profileTo, startChild, stopChildren } from './child.mjs';
import { stopPostgres } from './postgres-server.mjs';
import { startRedis, stopServers } from './redis-server.mjs';
import { failure, machineFacts, print } from './report.mjs';
import { byId, keep, writeDocuments } from './results.mjs';
import { BEFORE } from './rows/before.mjs';
import { dashboard } from './rows/dashboard.mjs';
import { idle } from './rows/idle.mjs';
import { life } from './rows/life.mjs';
import { memory } from './rows/memory.mjs';
import { million } from './rows/million.mjs';
import { pickup } from './rows/pickup.mjs';
import { postgresHttp } from './rows/postgres-http.mjs';
import { postgresMillion } from './rows/postgres-million.mjs';
import { postgresIdle, postgresPickup } from './rows/postgres-pickup.mjs';
import { postgres } from './rows/postgres.mjs';
import { sqlite, sqliteIdle, sqliteMillion, sqlitePickup } from './rows/sqlite.mjs';
import { start } from './rows/start.mjs';
import { statusOverHttp } from './rows/status-over-http.mjs';
import { submitOverHttp } from './rows/submit-over-http.mjs';
import { waiters } from './rows/waiters.mjs';
import { waitOverHttp } from './rows/wait-over-http.mjs';
import { readSettings } from './settings.mjs';

const POSTGRES = [postgres, postgresPickup, postgresMillion, postgresHttp, postgresIdle];
const SQLITE = [sqlite, sqlitePickup, sqliteMillion, sqliteIdle];
const FAMILIES = [
  life,
  submitOverHttp,
  statusOverHttp,
  waitOverHttp,
  pickup,
  idle,
  waiters,
  million,
  memory,
  start,
  ...POSTGRES,
  ...SQLITE,
  dashboard,
];

const settings = readSettings();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130)); // also stops Redis
if (settings.profile) profileTo(fileURLToPath(new URL('../profiles', import.meta.url)));
const machine = machineFacts(await redisVersion());
const rows = [];
for (const family of settings.against ? BEFORE : FAMILIES) {
  if (!family.ids.some(settings.wants)) continue;
  const startedAt = performance.now();
  rows.push(...(await rowsOf(family)));
  console.error(`${family.ids.join(', ')}: ${Math.round((performance.now() - startedAt) / 1_000)} s`);
}
const wanted = rows.filter(({ id }) => settings.wants(id)).toSorted(byId);
print(wanted, machine, settings.quick);
if (!settings.quick && !settings.against) {
  await keep({ machine, rows: wanted });
  await writeDocuments();
}
process.exitCode = wanted.some(({ failed }) => failed) ? 1 : 0;

/** Every family has its own Redis servers and processes, so a failure does not affect the figures of others. */
async function rowsOf(family) {
  const redis = await startRedis();
  try {
    if (family.sides) return await family.run({ server: await family.start?.(), settings, sides: family.sides() });
    if (settings.against)
      return await family.run({ redis, settings, checkouts: { peer: settings.against, ours: HERE } });
    const side = (file) => ({ api: startChild(file), worker: startChild(file) });
    return await family.run({ redis, settings, sides: { ours: side('ours.mjs'), peer: side('bullmq.mjs') } });
  } catch (error) {
    console.error(error);
    return family.ids.map((id) => failure(id, error));
  } finally {
    await stopChildren();
    await Promise.all([stopServers(), stopPostgres()]);
  }
}

async function redisVersion() {
  const redis = await startRedis();
  const text = await redis.client.info('server');
  await redis.stop();
  return /redis_version:(\S+)/.exec(text)?.[1];
}
