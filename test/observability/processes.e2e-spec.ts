import { demoLogger } from '@app/demo';
import { eventually } from 'nestjs-async-endpoints/testing';
import type { AppProcess } from '../app-process.js';
import { System } from '../redis/system.js';
import { startCollector } from './collector.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SECRET = 'geheim-4711';
const HEADERS = {
  'Content-Type': 'application/json',
  traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
  Authorization: `Bearer ${SECRET}`,
  Cookie: `session=${SECRET}`,
};

/** Every line of the log, but not the welcome. */
function linesOf({ output }: AppProcess): Record<string, unknown>[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ context }) => context !== 'Demo');
}

describe('The demo, API and worker in two processes', () => {
  let system: System;

  beforeAll(async () => {
    system = await System.start();
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('sends one trace for a job, and logs JSON with job, attempt and trace, both without credentials', async () => {
    const collector = await startCollector();
    const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50', LOG_FORMAT: 'json' };
    const [api, worker] = await Promise.all([system.api(settings), system.worker(settings)]);
    const body = JSON.stringify({ failures: 1 });
    const { headers } = await api.client.request('/api/demo/unreliable', { method: 'POST', headers: HEADERS, body });
    const { id } = await api.client.finished<unknown>(headers.get('location') as string);

    const spans = await eventually(() => (collector.spans.length === 3 ? collector.spans : null));
    const send = spans.find(({ name }) => name === 'send Unreliable');
    expect(send).toMatchObject({ service: 'async-endpoints-api', traceId: TRACE_ID, parentSpanId: 'b7ad6b7169203331' });
    const attempts = spans.filter(({ name }) => name === 'process Unreliable');
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({
        service: 'async-endpoints-worker',
        traceId: TRACE_ID,
        parentSpanId: send?.spanId,
      });
    }
    expect(linesOf(worker).find(({ message }) => String(message).includes('will be retried'))).toMatchObject({
      level: 'warn',
      jobId: id,
      jobName: 'Unreliable',
      attempt: 1,
      traceId: TRACE_ID,
    });
    const metrics = await Promise.all([api, worker].map(async ({ client }) => (await client.get('/metrics')).body));
    for (const text of [JSON.stringify(spans), api.output, worker.output, ...metrics])
      expect(text).not.toContain(SECRET);
  });

  it('adds the job to log lines of its handler, and respects the log level', async () => {
    const [chatty, quiet] = await Promise.all([system.worker(), system.worker({ LOG_LEVEL: 'error' })]);
    const ids = await system.submit('Sleep', { durationMs: 200 }, 40);
    await system.until(ids, 'Completed');
    const slept = linesOf(chatty).filter(({ message }) => message === 'slept 200 ms');
    expect(slept.length).toBeGreaterThan(0);
    for (const line of slept)
      expect(line).toMatchObject({ jobName: 'Sleep', attempt: 1, traceId: expect.any(String) as string });
    expect(ids).toEqual(expect.arrayContaining(slept.map(({ jobId }) => jobId)));
    expect(linesOf(quiet)).toEqual([]);
  });
});

describe('The log of the demo', () => {
  it.each([
    [{}, ['fatal', 'error', 'warn', 'log'], ['debug', 'verbose']],
    [{ LOG_LEVEL: 'warn' }, ['fatal', 'error', 'warn'], ['log', 'debug', 'verbose']],
    [{ LOG_LEVEL: ' verbose ' }, ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'], []],
  ] as const)('of %j logs %j', (env, logged, silent) => {
    const logger = demoLogger(env) as unknown as { isLevelEnabled(level: string): boolean };
    expect(logged.filter((level) => !logger.isLevelEnabled(level))).toEqual([]);
    expect(silent.filter((level) => logger.isLevelEnabled(level))).toEqual([]);
  });

  it.each([
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud"; expected fatal or error or warn or log or debug or verbose.'],
    [{ LOG_FORMAT: 'xml' }, 'LOG_FORMAT is "xml"; expected json or text.'],
  ])('with the level %j is refused with a message', (env, message) => {
    expect(() => demoLogger(env)).toThrow(new RangeError(message));
  });
});
