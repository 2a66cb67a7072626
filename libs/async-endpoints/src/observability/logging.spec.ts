import { Logger } from '@nestjs/common';
import * as lifecycle from '../job/lifecycle.js';
import { MemoryJobStore } from '../store/memory/memory-job-store.js';
import { aJob } from '../testing/index.js';
import { JOB_CHANNELS } from './channels.js';
import { JobLog } from './logging.js';

const store = new MemoryJobStore();
const log = new JobLog(store);
let lines: string[] = [];

/** What is written when a job fails of this. */
function written(cause: unknown): string {
  JOB_CHANNELS.fail.publish({ job: lifecycle.submit(aJob(), 0), store, cause });
  return lines.splice(0).join('\n');
}

describe('What the log says of a failed job', () => {
  beforeAll(() => {
    const note = (line: unknown) => void lines.push(String(line));
    Logger.overrideLogger({ log: note, warn: note, error: note });
    log.open();
  });

  afterAll(() => {
    log.close();
    Logger.overrideLogger(true);
    lines = [];
  });

  it('is where it came from', () => {
    const line = written(new Error('boom'));
    expect(line).toMatch(/^Job Work \S+ failed for good: Error: boom\n +at .*logging\.spec/);
  });

  it('is bounded, whatever a client has made its handler say; the stack stays', () => {
    const line = written(new Error('x'.repeat(200_000)));
    expect(line.length).toBeLessThan(10_000);
    expect(line).toContain('logging.spec');
    expect(written('y'.repeat(200_000)).length).toBeLessThan(10_000);
  });

  it.each([
    ['no prototype', Object.create(null)],
    ['a stack that cannot be read', Object.defineProperty(new Error('x'), 'stack', { get: () => unreadable() })],
    ['a stack that is no text', Object.assign(new Error('x'), { stack: 7 })],
    ['a symbol', Symbol('s')],
  ])('is something also where what was thrown has %s', (_what, cause) => {
    expect(written(cause)).toContain('failed for good: ');
  });
});

function unreadable(): never {
  throw new Error('unreadable');
}
