import { AsyncEndpointsError } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { STACKS } from './start-app.js';
import { BEES, sendAndLeave, startAccepting, startHeld, WAIT } from './waiting.js';

describe.each(STACKS)('Prefer: wait on a submission, on %s', (stack) => {
  it('returns 200 with the terminal job as soon as it ends', async () => {
    const { app, store, held } = await startHeld(stack);
    const answering = app.post('/reports', BEES, WAIT);
    await held.started.opened;
    held.finish.open({ text: 'About Bees' });
    const answer = await answering;

    expect([answer.status, answer.job.status, answer.job.result]).toEqual([200, 'Completed', { text: 'About Bees' }]);
    expect(answer.header('Preference-Applied')).toBe('wait=600');
    expect(answer.header('Location')).toBe(answer.job.links.self);
    expect(answer.header('X-Async-Request-Id')).toBe(answer.job.id);
    expect([answer.header('Retry-After'), answer.header('Idempotency-Replayed')]).toEqual([null, null]);
    expect(store.watching).toBe(0);
  });

  it('returns 202 with the job when the time is up, limited by http.maxWaitMs and stated in Preference-Applied', async () => {
    const { app, store } = await startAccepting(stack, { maxWaitMs: 1_000 });
    const applied = {
      'respond-async, wait=1': 'respond-async, wait=1',
      'wait="1"; foo, wait=600': 'wait=1',
      'foo="a, wait=600", wait = 1': 'wait=1',
      'respond-async, wait=99999999999999999999': 'respond-async, wait=1',
    };
    const answers = await Promise.all(Object.keys(applied).map((Prefer) => app.post('/reports', BEES, { Prefer })));
    for (const answer of answers) {
      expect([answer.status, answer.job.status, answer.header('Retry-After')]).toEqual([202, 'Queued', '1']);
    }
    expect(answers.map((answer) => answer.header('Preference-Applied'))).toEqual(Object.values(applied));
    expect(store.watching).toBe(0);
  });

  it.each(['wait', 'wait=', 'wait=-1', 'wait=1.5', 'wait=1e3', 'wait=soon', 'wait=0', 'await=600', '"wait=600"'])(
    'is ignored when it is malformed or no time: %s',
    async (prefer) => {
      const { app, store } = await startAccepting(stack);
      const answer = await app.post('/reports', BEES, { Prefer: prefer });
      expect([answer.status, answer.header('Preference-Applied')]).toEqual([202, null]);
      expect(store.begun).toBe(0);
    },
  );

  it('is ignored with http.maxWaitMs 0', async () => {
    const { app, store, job } = await startAccepting(stack, { maxWaitMs: 0 });
    expect((await app.post('/reports', BEES, WAIT)).status).toBe(202);
    expect((await app.get(job.links.self, WAIT)).header('Preference-Applied')).toBeNull();
    expect(store.begun).toBe(0);
  });

  it('waits for the job of a replay, and marks the response as a replay', async () => {
    const { app, held } = await startHeld(stack);
    const headers = { Prefer: 'respond-async, wait=600', 'Idempotency-Key': 'order-7' };
    const answering = [app.post('/reports', BEES, headers), app.post('/reports', BEES, headers)];
    await held.started.opened;
    held.finish.open({ text: '' });
    const answers = await Promise.all(answering);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map((answer) => answer.header('Idempotency-Replayed')))).toEqual(new Set(['true', null]));
    // To answer with the end is not to respond asynchronously.
    expect(answers.map((answer) => answer.header('Preference-Applied'))).toEqual(['wait=600', 'wait=600']);
  });

  it('returns 202 when the store becomes unreachable during the wait, because the job is queued', async () => {
    const { app, store } = await startAccepting(stack);
    store.onWatched = () => {
      throw new AsyncEndpointsError('STORE_UNAVAILABLE');
    };
    const answer = await app.post('/reports', BEES, WAIT);
    expect([answer.status, answer.job.status]).toEqual([202, 'Queued']);
  });

  it('frees everything when the client disconnects, and the job continues', async () => {
    const { app, store, held } = await startHeld(stack);
    const leave = sendAndLeave(app, 'POST', '/reports', '{"title":"Bees"}');
    await eventually(() => store.watching === 1);
    leave();
    await eventually(() => store.watching === 0);
    held.finish.open({ text: '' });
    const [job] = await app.all();
    expect((await app.jobs.waitFor(job?.id as string)).status).toBe('Completed');
  });
});
