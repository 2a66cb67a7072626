import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { Controller, Get } from '@nestjs/common';
import { JobWorker } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { refused } from './answer.js';
import { Gate } from './gate.js';
import { ACCEPTING, HeldReport, ReportsController } from './reports.js';
import { ADAPTERS, STACKS, startApp } from './start-app.js';
import { watchedStoreOf } from './watched-store.js';

describe.each(STACKS)('An application that is shutting down, on %s', (stack) => {
  it('refuses submissions with 503 SHUTTING_DOWN while running jobs finish, and still answers status requests', async () => {
    const held = new HeldReport();
    const app = await startApp(stack, {
      controllers: [ReportsController],
      providers: [held.Handler],
      options: { worker: { drainTimeoutMs: 20_000 } },
    });
    const { job } = await app.post('/reports', { title: 'Bees' });
    await held.started.opened;
    const closed = app.close();
    const refusal = await vi.waitFor(async () => {
      const answer = await app.post('/reports', { title: 'too late' });
      expect(answer.status).toBe(503);
      return answer;
    });
    const status = await app.get(job.links.self);
    const all = await app.all();
    held.finish.open({ text: 'done' });
    await closed;

    expect(refusal.refusal).toEqual(refused(503, 'SHUTTING_DOWN'));
    expect(refusal.header('Retry-After')).toBe('1');
    expect(refusal.header('Connection')).toBe('close');
    expect([status.status, status.job.status]).toEqual([202, 'InProgress']);
    expect(all).toHaveLength(all.filter(({ status: is }) => is === 'Queued').length + 1);
  });
});

describe.each(ADAPTERS)('An application in its shutdown delay, on %s', (adapter) => {
  it('accepts submissions for shutdownDelayMs, and closes the connection after each response', async () => {
    const store = await watchedStoreOf(adapter);
    const options = { role: 'api', store, http: { shutdownDelayMs: 1_500 } } as const;
    const app = await startApp(adapter, { ...ACCEPTING, options });
    const before = await app.post('/reports', { title: 'Bees' });
    const heldBefore = app.get(before.job.links.self, { Prefer: 'wait=30' });
    await eventually(() => store.watching === 1);
    const closed = app.close();
    await eventually(() => app.nest.get(JobWorker).isStopping);
    const held = app.get(before.job.links.self, { Prefer: 'wait=30' });
    const taken = await app.post('/reports', { title: 'Wasps' });
    await closed;
    const answers = [before, taken, await held, await heldBefore];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(answers.map((answer) => answer.header('Connection'))).toEqual(['keep-alive', 'close', 'close', 'close']);
  });
});

describe.each(ADAPTERS)('An application that is closed, on %s', (adapter) => {
  /** A connection on which somebody has said this and reads nothing. */
  const strangerAt = async (port: number, said: string) => {
    const socket = connect(port, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {}); // it is cut
    await once(socket, 'connect');
    await new Promise((sent) => socket.write(said, sent));
  };

  it('does not wait for a client that does not read its response', async () => {
    const asked = new Gate<void>();
    @Controller()
    class LargeController {
      @Get('large')
      large() {
        asked.open();
        return { text: 'x'.repeat(32 * 1024 * 1024) };
      }
    }
    const app = await startApp(adapter, {
      controllers: [LargeController],
      options: { worker: { drainTimeoutMs: 60_000 } },
    });
    await strangerAt(app.port, 'GET /large HTTP/1.1\r\nHost: here\r\n\r\n');
    await asked.opened;
    await app.close();
  });

  it('does not wait for a client that does not complete its request', async () => {
    const app = await startApp(adapter, ACCEPTING);
    const head = 'POST /reports HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n';
    const requested = once(app.nest.getHttpServer() as Server, 'request');
    await strangerAt(app.port, `${head}{`);
    await requested;
    await app.close();
  });
});
