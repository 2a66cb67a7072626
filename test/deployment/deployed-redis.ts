import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '@app/redis-server';
import { Redis } from 'ioredis';
import { eventually } from 'nestjs-async-endpoints/testing';
import { temporaryFolder } from '../temporary-folder.js';
import { PASSWORDS, read, ROOT, writeWithFolders } from './files.js';

export const START_REDIS = join(ROOT, 'k8s/redis/start-redis.sh');
const PASSWORD_OF = {
  jobs: PASSWORDS['redis-password'],
  backup: PASSWORDS['redis-backup-password'],
  operator: PASSWORDS['redis-operator-password'],
};
export type User = keyof typeof PASSWORD_OF;

/** A Redis started by the script that compose and Kubernetes run, with the configuration that they mount. */
export interface DeployedRedis {
  readonly url: string;
  /** The files of passwords, by the variable that names them. */
  readonly files: ReturnType<typeof passwordFiles>;
  /** The value of REDIS_RUN_DIR. */
  readonly runFolder: string;
  /** Calls Redis as a user, with the password of the tests or another one. */
  asked<T>(user: User, ask: (client: Redis) => Promise<T>, password?: string): Promise<T>;
  /** `start-redis.sh passwords`, as in the container. Returns its output. */
  setPasswords(): string;
  stop(): Promise<unknown>;
}

export async function startDeployedRedis(): Promise<DeployedRedis> {
  const folder = temporaryFolder();
  const port = await freePort();
  // A snapshot would wait five seconds for other replicas.
  const here = `dir ${folder}\nport ${port}\nbind 127.0.0.1\nrepl-diskless-sync-delay 0`;
  const conf = read('k8s/redis/redis.conf').replace(/^dir .*$/m, here);
  const files = passwordFiles();
  const runFolder = temporaryFolder();
  const env = {
    ...process.env,
    ...files,
    REDIS_CONFIG_FILE: writeWithFolders(join(folder, 'redis.conf'), conf),
    REDIS_RUN_DIR: runFolder,
    REDIS_PORT: String(port),
  };
  const child = spawn('sh', [START_REDIS], { stdio: 'ignore', env });
  const ended = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  const url = `redis://127.0.0.1:${port}`;
  const asked = <T>(user: User, ask: (client: Redis) => Promise<T>, password = PASSWORD_OF[user]) =>
    askedAs(url, { username: user, password }, ask);
  const setPasswords = () => {
    const { stdout, stderr } = spawnSync('sh', [START_REDIS, 'passwords'], { encoding: 'utf8', env });
    return stdout + stderr;
  };
  await eventually(() => asked('jobs', (client) => client.ping()));
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url, files, runFolder, asked, setPasswords, stop };
}

/** The variables of the script that name files of passwords, as an editor leaves them: with a line break. */
export function passwordFiles() {
  const folder = temporaryFolder();
  const file = (name: keyof typeof PASSWORDS) =>
    writeWithFolders(join(folder, 'secrets', name), `${PASSWORDS[name]}\n`);
  return {
    REDIS_PASSWORD_FILE: file('redis-password'),
    REDIS_BACKUP_PASSWORD_FILE: file('redis-backup-password'),
    REDIS_OPERATOR_PASSWORD_FILE: file('redis-operator-password'),
  };
}

async function askedAs<T>(
  url: string,
  login: { username: string; password: string },
  ask: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis(url, {
    ...login,
    lazyConnect: true,
    enableReadyCheck: false, // asks for INFO, which not every user may
    retryStrategy: () => null,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await ask(client);
  } finally {
    client.disconnect();
  }
}
