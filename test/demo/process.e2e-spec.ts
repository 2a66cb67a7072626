import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from 'nestjs-async-endpoints/testing';
import { AppProcess } from '../app-process.js';
import { hasTerminals } from '../cli/tool.js';
import { temporaryFolder } from '../temporary-folder.js';
import { hasCurl, shell } from './shell.js';
import { sleepers } from './sleepers.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('The built demo in a process of its own', () => {
  const processes: AppProcess[] = [];

  function start(port = '0', format = 'text', options = ''): AppProcess {
    const demo = new AppProcess('api', { PORT: port, LOG_FORMAT: format, NODE_OPTIONS: options });
    processes.push(demo);
    return demo;
  }

  afterEach(() => Promise.all(processes.splice(0).map((demo) => demo.kill())));

  it('prints commands that work unchanged', async (test) => {
    if (!(await hasCurl())) test.skip('there is no curl here');
    const demo = start();
    await demo.listening();
    await demo.written(/curl -i "[^\n]+\n/);
    const [processData, ...sleepAndFollow] = demo.output.split('\n').filter((line) => line.startsWith('  '));
    const accepted = await shell(processData as string);
    expect(accepted).toMatch(/^HTTP\/1.1 202 Accepted\r\n/);
    expect(accepted).toMatch(/\r\nlocation: \/jobs\//i);
    expect(accepted).toContain('"name":"ProcessData"');
    const followed = await shell(sleepAndFollow.join('\n'));
    expect(followed).toMatch(/^HTTP\/1.1 202 Accepted\r\n/);
    expect(followed).toContain('"name":"Sleep"');
    const canceled = await shell(`${sleepAndFollow.join('\n')} -X DELETE`);
    expect(canceled).toContain('"status":"Canceled"');
  });

  it('logs text at a terminal, and JSON elsewhere', async (test) => {
    if (!(await hasTerminals())) test.skip('there is no script(1) here');
    const command = `${process.execPath} dist/apps/api/src/main.js`;
    const env = { ...process.env, PORT: '0', NO_COLOR: '1', LOG_FORMAT: '', ASYNC_STORE: 'memory' };
    const terminal = spawn('script', ['-qfec', command, '/dev/null'], { cwd: root, env });
    const ended = once(terminal, 'close');
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    await eventually(() => /listens on http/.test(shown), 30_000);
    terminal.stdin.write('\x03'); // Ctrl+C
    await ended;
    expect(shown).toMatch(/^\[Nest\] \d+ +- .* LOG \[/m);
    expect(shown).not.toContain('{"level"');

    const elsewhere = new AppProcess('api', { LOG_FORMAT: '' });
    processes.push(elsewhere);
    await elsewhere.written(/"level":"log"[^\n]*\n/);
    expect(elsewhere.output).toMatch(/^\{"level":"log"/m);
  });

  it('finishes running jobs after SIGTERM, and exits with 0', async () => {
    const demo = start();
    const { client } = await demo.listening();
    const location = await client.submit('/api/demo/sleep', { durationMs: 1_000 });
    await client.running(location);
    expect(demo.output).not.toContain('slept 1000 ms');
    demo.signal('SIGTERM');
    expect(await demo.exitCode()).toBe(0);
    expect(demo.output).toContain('slept 1000 ms');
  });

  it('keeps its jobs in a file, so that they survive a crash', async () => {
    const cwd = temporaryFolder();
    const run = () => {
      const fast = { ASYNC_WORKER_LEASE_MS: '500', ASYNC_RECOVERY_SWEEP_INTERVAL_MS: '100' };
      const env = { ...process.env, PORT: '0', NO_COLOR: '1', LOG_FORMAT: 'text', ...fast };
      const child = spawn(process.execPath, [join(root, 'dist/apps/api/src/main.js')], { cwd, env });
      onTestFinished(() => void child.kill('SIGKILL'));
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      const url = eventually(() => /listens on (http:\S+)/.exec(output)?.[1], 30_000);
      return { child, url, output: () => output };
    };
    const first = run();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ durationMs: 500 });
    const submitted = await fetch(`${await first.url}/api/demo/sleep`, { method: 'POST', headers, body });
    expect(first.output()).toContain('Jobs are kept in .data/jobs.db, and survive a restart');
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const second = run();
    const path = submitted.headers.get('location') as string;
    await eventually(async () => {
      const job = (await (await fetch(`${await second.url}${path}`)).json()) as { status: string };
      return job.status === 'Completed';
    }, 60_000);
  });

  it('claims no jobs after SIGTERM, logs the number of lost jobs, and exits with 0', async () => {
    const demo = start();
    const { client } = await demo.listening();
    const running = await sleepers(client, 8);
    const [waiting] = (await sleepers(client, 1)) as [string];
    await Promise.all(running.map((location) => client.running(location)));
    demo.signal('SIGTERM');
    for (let status = 200; status !== 503;) ({ status } = await client.get('/health/ready'));
    expect(await client.postJson('/api/process-data', { data: 'text' })).toMatchObject({ status: 503 });
    expect((await client.get(waiting)).body).toMatchObject({ status: 'Queued' });
    await Promise.all(running.map((location) => client.delete(location)));
    expect(await demo.exitCode()).toBe(0);
    expect(demo.output).toContain('1 waiting jobs are lost with this process');
  });

  it('continues when the reader of its output ends, as in npm start | head', async () => {
    const demo = start();
    const { client } = await demo.listening();
    demo.closeOutput();
    await client.submit('/api/demo/sleep', { durationMs: 100 });
    demo.signal('SIGTERM'); // the shutdown is logged, to nobody
    expect(await demo.exitCode()).toBe(0);
  });

  it('refuses a bad PORT in one line', async () => {
    const demo = start('8o80');
    expect(await demo.exitCode()).toBe(1);
    expect(demo.output).toBe('PORT is "8o80"; expected a whole number from 0 to 65535.\n');
  });

  it('writes only JSON with LOG_FORMAT=json, even when the boot fails', async () => {
    // What a package may do at any time: warn, and throw where nobody catches.
    const later =
      'process.on("SIGUSR2", () => { process.emitWarning("old ways"); setImmediate(() => { throw Error("a bug"); }); });';
    const first = start('0', 'json', `--import data:text/javascript,${encodeURIComponent(later)}`);
    const { port } = new URL((await first.listening()).client.url);
    const second = start(port, 'json');
    await second.exitCode();
    first.signal('SIGUSR2');
    expect(await first.exitCode()).toBe(1);
    const lines = `${first.output}${second.output}`.split('\n').filter(Boolean);
    const said = lines.map((line) => (JSON.parse(line) as { message: string }).message);
    expect(said).toContain(`Watch the jobs in the browser: http://localhost:${port}/dashboard`);
    expect(said).toContain('Warning: old ways');
    expect(said).toContain('a bug');
    expect(said.at(-1)).toContain('EADDRINUSE');
  });

  it('reports that its port is in use', async () => {
    const first = start();
    const { port } = new URL((await first.listening()).client.url);
    const second = start(port);
    expect(await second.exitCode()).toBe(1);
    expect(second.output).toContain(`EADDRINUSE: address already in use 0.0.0.0:${port}`);
  });
});
