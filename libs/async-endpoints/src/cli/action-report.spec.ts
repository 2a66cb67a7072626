import { publish } from '../events/channels.js';
import * as lifecycle from '../job/lifecycle.js';
import type { OperatorAction } from '../store/job-store.js';
import { purgeSome } from '../store/loops.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { aJob } from '../testing/index.js';
import { ActionReport } from './action-report.js';

class NotedStore extends MemoryJobStore {
  readonly actions: OperatorAction[] = [];
  fails = false;

  async reportAction(action: OperatorAction): Promise<void> {
    if (this.fails) throw new Error('full');
    this.actions.push(action);
  }
}

describe('The action report of a tool', () => {
  it('contains the number of changed jobs by name, verb and new status', async () => {
    const store = new NotedStore({ now: () => 0 });
    const report = new ActionReport(store);
    report.open();
    const job = (name: string) => lifecycle.submit(aJob({ name }), 0);
    for (const name of ['Mail', 'Report', 'Mail']) publish('rerun', { job: job(name), store });
    publish('cancel', { job: lifecycle.cancel(job('Mail'), 1), store });
    const { id } = aJob();
    await store.submit([aJob({ id, retention: { completedMs: 0, failedMs: 0, canceledMs: 0 } })], { queueLimit: 1 });
    await store.cancel([id]);
    await purgeSome(store, 10);
    await report.close();
    publish('rerun', { job: job('Late'), store });
    expect(store.actions.map(({ verb, jobs }) => [verb, jobs])).toEqual([
      [
        'rerun',
        [
          { name: 'Mail', status: 'Queued', count: 2 },
          { name: 'Report', status: 'Queued', count: 1 },
        ],
      ],
      ['cancel', [{ name: 'Mail', status: 'Canceled', count: 1 }]],
      ['purge', [{ name: null, status: null, count: 1 }]],
    ]);
    expect(store.actions[0]?.by).toMatch(/.@./);
  });

  it('that the store refuses is a warning and does not fail the command', async () => {
    const store = new NotedStore();
    store.fails = true;
    const said: string[] = [];
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    onTestFinished(() => spy.mockRestore());
    const report = new ActionReport(store);
    report.open();
    publish('cancel', { job: lifecycle.cancel(lifecycle.submit(aJob(), 0), 1), store });
    await report.close();
    expect(said.join('')).toContain('log and metrics of the workers will not show this cancel: full');
  });
});
