import { MAXIMUM_CSV_BYTES } from '@app/demo';
import { JobManager } from 'nestjs-async-endpoints';
import { type RunningDemo, startDemo } from './running-demo.js';
import { postWithoutListening } from './stubborn-client.js';

const ROUTES = ['/api/process-data', '/api/demo/sleep', '/api/demo/unreliable'];

describe('A careless client', () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await startDemo();
  });

  /** Whatever was sent, nothing of it was queued. */
  afterEach(async () => {
    const { jobs } = await demo.app.get(JobManager).list();
    if (jobs.length > 0) throw new Error(`It was queued: ${JSON.stringify(jobs)}`);
  });

  afterAll(() => demo.app.close());

  it.each([
    ['/api/process-data', {}, 'data must be a string'],
    ['/api/process-data', { data: '' }, 'data should not be empty'],
    ['/api/process-data', { data: 5 }, 'data must be a string'],
    ['/api/process-data', { data: ['text'] }, 'data must be a string'],
    ['/api/process-data', { data: { length: 1 } }, 'data must be a string'],
    ['/api/process-data', { data: 'x', processingPriority: 0 }, 'processingPriority must not be less than 1'],
    ['/api/process-data', { data: 'x', processingPriority: 6 }, 'processingPriority must not be greater than 5'],
    ['/api/process-data', { data: 'x', processingPriority: 2.5 }, 'processingPriority must be an integer number'],
    ['/api/process-data', { data: 'x', processingPriority: '3' }, 'processingPriority must be an integer number'],
    ['/api/process-data', { data: 'x', processingPriority: null }, 'processingPriority must be an integer number'],
    ['/api/process-data', { data: 'x', processingPrority: 3 }, 'property processingPrority should not exist'],
    ['/api/demo/sleep', {}, 'durationMs must be an integer number'],
    ['/api/demo/sleep', { durationMs: -1 }, 'durationMs must not be less than 0'],
    ['/api/demo/sleep', { durationMs: 600_001 }, 'durationMs must not be greater than 600000'],
    ['/api/demo/sleep', { durationMs: '10' }, 'durationMs must be an integer number'],
    ['/api/demo/sleep', { durationMs: true }, 'durationMs must be an integer number'],
    ['/api/demo/unreliable', {}, 'failures must be an integer number'],
    ['/api/demo/unreliable', { failures: 11 }, 'failures must not be greater than 10'],
    ['/api/demo/unreliable', { failures: [1] }, 'failures must be an integer number'],
  ])('gets the mistake from %s for %j', async (path, body, message) => {
    const answer = await demo.client.postJson(path, body);
    expect(answer).toMatchObject({ status: 400, body: { error: 'Bad Request', statusCode: 400 } });
    expect((answer.body as { message: string[] }).message).toContain(message);
  });

  describe.each(ROUTES)('of %s', (path) => {
    it.each(['{"data":', '{', '', 'undefined', '{data:1}', '[1,]', '\u0000', '"\\'])(
      'gets 400 for invalid JSON: %j',
      async (body) => {
        expect(await demo.client.post(path, 'application/json', body)).toMatchObject({ status: 400 });
      },
    );

    it.each(['null', '[]', '[[]]', '[{"data":"x","durationMs":1,"failures":1}]', '"text"', '5', 'true'])(
      'gets 400 for %s instead of an object',
      async (body) => {
        expect(await demo.client.post(path, 'application/json', body)).toMatchObject({ status: 400 });
      },
    );

    it.each([
      '{"data":"x","durationMs":1,"failures":1,"__proto__":{"polluted":true}}',
      '{"data":"x","durationMs":1,"failures":1,"constructor":{"prototype":{"polluted":true}}}',
      '{"__proto__":{"data":"x","durationMs":1,"failures":1}}',
      '{"__proto__":null}',
      '{"constructor":{"prototype":null}}',
    ])('pollutes nothing with %s', async (body) => {
      expect(await demo.client.post(path, 'application/json', body)).toMatchObject({ status: 400 });
      expect({}).not.toHaveProperty('polluted');
    });

    it.each(['text/plain', 'text/csv'])('gets 400 for %s', async (type) => {
      expect(await demo.client.post(path, type, '{"data":"x","durationMs":1,"failures":1}')).toMatchObject({
        status: 400,
      });
    });

    it.each(['application/xml', 'multipart/form-data; boundary=x', 'nonsense', 'application/jsonp'])(
      'gets 415 for %s',
      async (type) => {
        expect(await demo.client.post(path, type, '<data/>')).toMatchObject({ status: 415 });
      },
    );

    it('gets 400 for an empty request', async () => {
      expect(await demo.client.request(path, { method: 'POST' })).toMatchObject({ status: 400 });
    });

    it('gets 413 for more than a megabyte', async () => {
      expect(await demo.client.postJson(path, { data: 'x'.repeat(1024 * 1024) })).toMatchObject({ status: 413 });
    });

    it('gets 404 for another method', async () => {
      expect(await demo.client.get(path)).toMatchObject({ status: 404 });
    });
  });

  describe('of /api/csv-summaries', () => {
    it.each([
      ['application/json', '{"csv":"a,b"}'],
      ['application/json', '"a,b"'],
      ['application/x-www-form-urlencoded', 'a,b\n1,2\n'],
      ['text/plain', 'a,b\n1,2\n'],
      ['text/csvx', 'a,b\n1,2\n'],
      ['application/octet-stream', 'a,b\n1,2\n'],
      ['text/csv; charset=klingon', 'a,b\n1,2\n'],
    ])('gets 415 for %s', async (type, body) => {
      expect(await demo.client.post('/api/csv-summaries', type, body)).toMatchObject({ status: 415 });
    });

    it('gets 415 for an empty request', async () => {
      expect(await demo.client.request('/api/csv-summaries', { method: 'POST' })).toMatchObject({ status: 415 });
    });

    it.each(['', ' \n', '\uFEFF'])('gets 400 for an empty CSV: %j', async (csv) => {
      expect(await demo.client.post('/api/csv-summaries', 'text/csv', csv)).toMatchObject({
        status: 400,
        body: { message: 'The CSV is empty.' },
      });
    });

    it('gets 400 for bytes that are not text', async () => {
      const bytes = new Uint8Array([0x61, 0x0a, 0xff, 0xfe]);
      expect(await demo.client.post('/api/csv-summaries', 'text/csv', bytes)).toMatchObject({
        status: 400,
        body: { message: 'The body is not text in utf-8.' },
      });
    });

    it('gets 413 for one byte too many', async () => {
      const csv = 'x'.repeat(MAXIMUM_CSV_BYTES + 1);
      expect(await demo.client.post('/api/csv-summaries', 'text/csv', csv)).toMatchObject({ status: 413 });
    });

    it('gets 413 for 11 MB, with and without Content-Length', async () => {
      const csv = 'a,b,c,d\n'.repeat(11_000_000 / 8);
      expect(await demo.client.post('/api/csv-summaries', 'text/csv', csv)).toMatchObject({ status: 413 });
      const chunked = { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: new Blob([csv]).stream() };
      const answer = await demo.client.request('/api/csv-summaries', { ...chunked, duplex: 'half' });
      expect(answer).toMatchObject({ status: 413 });
    });

    it('gets 413 for 11 MB that it sends before it reads the response', async () => {
      const url = `${demo.client.url}/api/csv-summaries`;
      const answer = await postWithoutListening(url, 'text/csv', 'a,b,c,d\n'.repeat(11_000_000 / 8));
      expect(answer).toBe('HTTP/1.1 413 Payload Too Large');
    });

    it('gets 413 for text that is six times as long in JSON', async () => {
      const csv = '\u0001'.repeat(MAXIMUM_CSV_BYTES);
      expect(await demo.client.post('/api/csv-summaries', 'text/csv', csv)).toMatchObject({
        status: 413,
        body: { code: 'PAYLOAD_TOO_LARGE' },
      });
    });
  });
});
