import { Logger } from '@nestjs/common';
import { ShutdownLog } from './worker-log.js';

describe('The log of a shutdown', () => {
  it('states every 5 s the number of running jobs and the remaining time, until the end', () => {
    vi.useFakeTimers();
    const lines: string[] = [];
    Logger.overrideLogger({ log: (line: string) => void lines.push(line), warn: () => {}, error: () => {} });
    onTestFinished(() => {
      Logger.overrideLogger(true);
      vi.useRealTimers();
    });
    let running = 3;
    const log = new ShutdownLog(() => running, { drainTimeoutMs: 12_000 });
    vi.advanceTimersByTime(5_000);
    running = 1;
    vi.advanceTimersByTime(10_000);
    log.end([]);
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual([
      'Shutting down: 3 jobs running; waiting up to 12 s',
      'Shutting down: 3 jobs still running; 7 s left',
      'Shutting down: 1 job still running; 2 s left',
      'Shutting down: 1 job still running',
      'The worker has stopped after 15 s',
    ]);
  });
});
