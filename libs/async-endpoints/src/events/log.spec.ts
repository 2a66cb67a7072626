import { Logger } from '@nestjs/common';
import * as lifecycle from '../job/lifecycle.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { aJob } from '../testing/index.js';
import { publish } from './channels.js';
import { JobLog } from './log.js';

const store = new MemoryJobStore();
const log = JobLog.of(store);
let lines: string[] = [];

/** What is written when a job fails of this. */
function written(cause: unknown): string {
  publish('fail', { job: lifecycle.submit(aJob(), 0), store, cause });
  return lines.splice(0).join('\n');
}

describe('The log line of a recovered job', () => {
  it('names its worker and the last heartbeat of that worker', () => {
    const said: unknown[] = [];
    Logger.overrideLogger({ log: () => {}, error: () => {}, warn: (line: unknown) => said.push(line) });
    log.open();
    const now = Date.UTC(2026, 0, 1);
    const claimed = lifecycle.claim(lifecycle.submit(aJob(), now), { worker: 'w\u001b@host-1', leaseMs: 1_000 }, now);
    const job = lifecycle.recover(claimed, { maxCrashes: 3 }, now + 23_400);
    publish('recover', {
      job,
      store,
      vanished: { worker: 'w\u001b@host-1', heartbeatAt: now, leaseUntil: now + 1_000 },
    });
    log.close();
    Logger.overrideLogger(true);
    expect(said).toEqual([
      `Job Work ${job.id} was recovered from worker w\\u001b@host-1, which died ` +
        '(last heartbeat at 2026-01-01T00:00:00.000Z, 23 s ago); now Queued',
    ]);
  });
});

describe('The log line of a failed job', () => {
  beforeAll(() => {
    const note = (line: unknown, stack?: unknown) => void lines.push(`${String(line)}\n${String(stack)}`);
    Logger.overrideLogger({ log: note, warn: note, error: note });
    log.open();
  });

  afterAll(() => {
    log.close();
    Logger.overrideLogger(true);
    lines = [];
  });

  it('contains the stack', () => {
    const line = written(new Error('boom'));
    expect(line).toMatch(/^Job Work \S+ failed for good: boom\nError: boom\n +at .*log\.spec/);
  });

  it('is logged once where two applications share the store, also after one of them is closed', () => {
    const second = JobLog.of(store);
    second.open();
    expect(written(new Error('boom')).match(/failed for good/g)).toHaveLength(1);
    second.close();
    expect(written(new Error('boom')).match(/failed for good/g)).toHaveLength(1);
  });

  it('is bounded, whatever the message of the error, and keeps the stack', () => {
    const line = written(new Error('x'.repeat(200_000)));
    expect(line.length).toBeLessThan(10_000);
    expect(line).toContain('log.spec');
    expect(written('y'.repeat(200_000)).length).toBeLessThan(10_000);
  });

  it('names every cause once, also below a shortened message', () => {
    const root = new Error('the disk is full');
    const cause = new Error('x'.repeat(200_000), { cause: root });
    root.cause = cause;
    const [line, ...stack] = written(new Error('not saved', { cause })).split('\n');
    expect(line).toMatch(/failed for good: not saved: x+ … x+: the disk is full$/);
    expect(stack.filter((one) => one.startsWith('[cause]: '))).toHaveLength(2);
    expect(stack).toContain('[cause]: Error: the disk is full');
    expect([line, ...stack].join('\n').length).toBeLessThan(10_000);
  });

  it('has no escape sequence in any part', () => {
    const line = written(new Error('a\u001b[2J', { cause: 'b\u202ec' }));
    for (const mark of ['\u001b', '\u202e']) expect(line).not.toContain(mark);
    expect(line).toContain('failed for good: a\\u001b[2J: b\\u202ec\n');
  });

  it('has no escape sequence from a notice of the store either', () => {
    publish('notice', { store, message: 'The record of job a\u001b[2J cannot be read' });
    expect(lines.splice(0).join()).toContain('The record of job a\\u001b[2J cannot be read');
  });

  it('is one line for a pause, whatever the names: a visitor cannot write a line of their own into the log', () => {
    publish('paused', { store, verb: 'pause', names: ['Echo\nforged'], by: 'anna\r\nforged' });
    expect(lines.splice(0)).toEqual(['Echo\\nforged was paused by anna\\u000d\\nforged\nAsyncEndpoints']);
  });

  it('is one line for a job, and for names without a worker, whatever the names', () => {
    publish('unhandled', { store, names: ['Echo\nforged'] });
    expect(lines.splice(0)).toEqual(['Jobs wait that no live worker handles: Echo\\nforged\nAsyncEndpoints']);
    const job = lifecycle.submit(aJob({ name: 'Echo\nforged' }), 0);
    publish('rerun', { job, store });
    expect(lines.splice(0)).toEqual([`Job Echo\\nforged ${job.id} was queued again\nAsyncEndpoints`]);
  });

  it('contains all of a thrown text', () => {
    expect(written('first\nsecond')).toContain('failed for good: first\nsecond');
  });

  it.each([
    ['no prototype', Object.create(null)],
    ['a stack that cannot be read', Object.defineProperty(new Error('x'), 'stack', { get: () => unreadable() })],
    ['a stack that is no text', Object.assign(new Error('x'), { stack: 7 })],
    ['a symbol', Symbol('s')],
  ])('is written even when the thrown value has %s', (_what, cause) => {
    expect(written(cause)).toContain('failed for good: ');
  });
});

function unreadable(): never {
  throw new Error('unreadable');
}
