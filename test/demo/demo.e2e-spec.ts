import { readFileSync } from 'node:fs';
import { type CsvSummary, MAXIMUM_CSV_BYTES, type ProcessedData, type Slept, type UnreliableResult } from '@app/demo';
import type { JobRepresentation } from 'nestjs-async-endpoints';
import { type RunningDemo, startDemo } from './running-demo.js';
import { sleepers } from './sleepers.js';

const ZIP_CODES = readFileSync(new URL('../../node_modules/vega-datasets/data/zipcodes.csv', import.meta.url), 'utf8');

describe('The demo', () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await startDemo();
  });

  afterAll(() => demo.app.close());

  describe('GET /', () => {
    it('describes the demo, and links to docs, health and metrics', async () => {
      const { status, body } = await demo.client.get('/');
      expect([status, body]).toMatchObject([200, { name: 'The Async Endpoints demo' }]);
      const { links } = body as { links: Record<string, string> };
      expect(Object.keys(links)).toEqual(['dashboard', 'docs', 'openapi', 'health', 'metrics']);
      const url = await demo.app.getUrl();
      for (const path of Object.values(links)) {
        const response = await fetch(url + path);
        await response.arrayBuffer(); // an answer that nobody reads would keep its connection open
        expect([path, response.ok]).toEqual([path, true]);
      }
    });

    it('returns a page with the same links to a browser', async () => {
      const response = await fetch(await demo.app.getUrl(), { headers: { accept: 'text/html,*/*;q=0.8' } });
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const page = await response.text();
      for (const path of ['/docs', '/docs-json', '/health', '/metrics']) expect(page).toContain(`href="${path}"`);
    });
  });

  describe('process-data', () => {
    it('answers 202 at once, and returns the text in capitals later', async () => {
      const before = Date.now();
      const accepted = await demo.client.postJson('/api/process-data', { data: 'text' });
      expect(accepted.status).toBe(202);
      expect(accepted.body).toMatchObject({ name: 'ProcessData', result: null });
      const location = accepted.headers.get('location') as string;
      const { status, result } = await demo.client.finished<ProcessedData>(location);
      expect(status).toBe('Completed');
      expect(result).toEqual({
        processedData: 'Processed: TEXT',
        processedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        characterCount: 4,
      });
      const processedAt = Date.parse(result?.processedAt as string);
      expect(processedAt).toBeGreaterThanOrEqual(before);
      expect(processedAt).toBeLessThanOrEqual(Date.now());
      expect((await demo.client.get(`${location}/result`)).body).toEqual(result);
    });

    it('counts characters, not code units', async () => {
      const location = await demo.client.submit('/api/process-data', { data: 'grüße 😀', processingPriority: 5 });
      const { result } = await demo.client.finished<ProcessedData>(location);
      expect(result).toMatchObject({ processedData: 'Processed: GRÜSSE 😀', characterCount: 7 });
    });
  });

  describe('sleep', () => {
    it('reports every tenth', async () => {
      const location = await demo.client.submit('/api/demo/sleep', { durationMs: 300 });
      const seen = await demo.client.follow<Slept>(location);
      const fractions = seen.flatMap(({ progress }) => progress?.fraction ?? []);
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      expect(fractions.every((fraction) => Number.isInteger(fraction * 10))).toBe(true);
      expect(seen.find(({ progress }) => progress)?.progress?.message).toMatch(/^slept \d+ of 300 ms$/);
      expect(seen.at(-1)).toMatchObject({ status: 'Completed', result: { durationMs: 300 } });
    });

    it('can take no time', async () => {
      const location = await demo.client.submit('/api/demo/sleep', { durationMs: 0 });
      expect(await demo.client.finished(location)).toMatchObject({ status: 'Completed', result: { durationMs: 0 } });
    });

    it('ends at once when canceled, and frees its slot', async () => {
      const locations = await sleepers(demo.client, 8);
      await Promise.all(locations.map((location) => demo.client.running(location)));
      const [last] = (await sleepers(demo.client, 1)) as [string];
      expect((await demo.client.get(last)).body).toMatchObject({ status: 'Queued' });
      expect(await demo.client.delete(locations[0] as string)).toMatchObject({
        status: 200,
        body: { status: 'Canceled' },
      });
      await demo.client.running(last);
      await Promise.all([...locations, last].map((location) => demo.client.delete(location)));
    });

    it('does not block other jobs', async () => {
      const locations = await sleepers(demo.client, 20);
      const location = await demo.client.submit('/api/process-data', { data: 'text' });
      expect(await demo.client.finished(location)).toMatchObject({ status: 'Completed' });
      await Promise.all(locations.map((sleeper) => demo.client.delete(sleeper)));
    });
  });

  describe('unreliable', () => {
    it.each([0, 1, 4])('fails %i times, then succeeds', async (failures) => {
      const location = await demo.client.submit('/api/demo/unreliable', { failures });
      const seen = await demo.client.follow<UnreliableResult>(location);
      for (const { error, retryCount } of seen.filter(({ status }) => status === 'Scheduled')) {
        const message = `Failing on purpose, ${retryCount} of ${failures} times.`;
        expect(error).toEqual({ code: 'DEMO_FAILURE', message });
      }
      expect(seen.at(-1)).toMatchObject({
        status: 'Completed',
        retryCount: failures,
        result: { attempts: failures + 1 },
        error: null,
      });
    });
  });

  describe('csv-summaries', () => {
    it('summarizes 42,049 rows and answers other requests meanwhile', async () => {
      const location = await demo.client.submitCsv(ZIP_CODES);
      const seen = await demo.client.follow<CsvSummary>(location);
      const { status, result } = seen.at(-1) as JobRepresentation<CsvSummary>;
      expect(status).toBe('Completed');
      expect(result?.rowCount).toBe(42_049);
      expect(result?.columns.map(({ name, type }) => `${name}: ${type}`)).toEqual([
        'zip_code: integer',
        'latitude: number',
        'longitude: number',
        'city: text',
        'state: text',
        'county: text',
      ]);
      const fractions = new Set(seen.map(({ progress }) => progress?.fraction));
      expect(fractions.size).toBeGreaterThan(5);
      expect(seen.find(({ progress }) => progress)?.progress?.message).toMatch(/^parsed \d+ rows$/);
    });

    it('accepts the largest CSV, even when it consists of quotes', async () => {
      const row = '"""""""""""""""\n';
      const csv = `a\n${row.repeat(Math.floor((MAXIMUM_CSV_BYTES - 2) / row.length))}`;
      const location = await demo.client.submitCsv(csv);
      await demo.client.running(location);
      expect((await demo.client.delete(location)).body).toMatchObject({ status: 'Canceled' });
    });

    it('reports the line of an error in a CSV, and does not retry', async () => {
      const location = await demo.client.submitCsv('a,b\n1,2\n"3\n4",5\n6\n');
      expect(await demo.client.finished(location)).toMatchObject({
        status: 'Failed',
        retryCount: 0,
        error: {
          code: 'CSV_INVALID',
          message: 'The CSV is broken at line 5: 2 fields were expected, 1 found.',
          details: { line: 5 },
        },
      });
    });

    it.each([
      ['text/csv; charset=utf-8', Buffer.from('größe\nü')],
      ['Text/CSV; charset="ISO-8859-1"', Buffer.from('größe\nü', 'latin1')],
      ['text/csv; header=present; charset=utf-16le', Buffer.from('\uFEFFgröße\nü', 'utf16le')],
    ])('accepts %s', async (type, bytes) => {
      const accepted = await demo.client.post('/api/csv-summaries', type, new Uint8Array(bytes));
      const { result } = await demo.client.finished<CsvSummary>(accepted.headers.get('location') as string);
      expect(result).toMatchObject({ rowCount: 1, columns: [{ name: 'größe', min: 'ü' }] });
    });
  });
});
