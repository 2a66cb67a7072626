import { AppProcess } from '../app-process.js';
import { hasCurl, shell } from './shell.js';
import { sleepers } from './sleepers.js';

describe('The built demo in a process of its own', () => {
  const processes: AppProcess[] = [];

  function start(port = '0'): AppProcess {
    const demo = new AppProcess('api', { PORT: port });
    processes.push(demo);
    return demo;
  }

  afterEach(() => Promise.all(processes.splice(0).map((demo) => demo.kill())));

  it('prints lines to try that work as they stand', async (test) => {
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

  it('lets running jobs end after SIGTERM, and exits with 0', async () => {
    const demo = start();
    const { client } = await demo.listening();
    const location = await client.submit('/api/demo/sleep', { durationMs: 1_000 });
    await client.running(location);
    expect(demo.output).not.toContain('slept 1000 ms');
    demo.signal('SIGTERM');
    expect(await demo.exitCode()).toBe(0);
    expect(demo.output).toContain('slept 1000 ms');
  });

  it('takes no new jobs after SIGTERM, says what is lost with its memory, and exits with 0', async () => {
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
    expect(demo.output).toContain('1 waiting jobs end with this process');
  });

  it('refuses a bad PORT in one line', async () => {
    const demo = start('8o80');
    expect(await demo.exitCode()).toBe(1);
    expect(demo.output).toBe('PORT is "8o80"; expected a whole number from 0 to 65535.\n');
  });

  it('says that its port is taken', async () => {
    const first = start();
    const { port } = new URL((await first.listening()).client.url);
    const second = start(port);
    expect(await second.exitCode()).toBe(1);
    expect(second.output).toContain(`EADDRINUSE: address already in use 0.0.0.0:${port}`);
  });
});
