import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../temporary-folder.js';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('A process with a wrong configuration', () => {
  let cwd: string;

  beforeEach(() => {
    cwd = temporaryFolder();
  });

  function run(app: 'api' | 'worker', env: Record<string, string>): Promise<Ended> {
    return new Promise((resolve) => {
      const variables = { PATH: process.env['PATH'], PORT: '0', LOG_FORMAT: 'text', ...env };
      execFile(process.execPath, [`${dist}apps/${app}/src/main.js`], { cwd, env: variables }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });
  }

  it('writes only the list of mistakes, each with its source and the expected value', async () => {
    const file = join(cwd, 'production.json');
    await writeFile(file, '{ "asyncEndpoints": { "worker": { "leaseMs": "15s" } } }');
    await writeFile(join(cwd, '.env'), 'ASYNC_WORKER_CONCURENCY=4\n');
    expect(await run('worker', { ASYNC_CONFIG_FILE: file, ASYNC_QUEUE_SIZE: 'lots', REDIS_URL: 'redis://x' })).toEqual({
      code: 1,
      stdout: '',
      stderr: [
        'The configuration has 3 mistakes:',
        `  - worker.leaseMs in ${file} is "15s"; expected an integer from 100 to 3600000`,
        '  - ASYNC_WORKER_CONCURENCY in .env is not a variable; did you mean ASYNC_WORKER_CONCURRENCY?',
        '  - ASYNC_QUEUE_SIZE in the environment is "lots"; expected an integer from 1 to 9007199254740991 (jobs.maxQueueSize)',
        '',
      ].join('\n'),
    });
  });

  it('names the roles that it can have', async () => {
    expect(await run('api', { ASYNC_ROLE: 'worker' })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The configuration is wrong: ASYNC_ROLE in the environment is "worker"; expected all or api (role)\n',
    });
  });
});
