/**
 * Drives the demo with nothing but what its document says. `demo-api.ts` is generated from it by the test, which then
 * checks the types here and runs it; so an expected error that is none is a failure.
 */
import createClient from 'openapi-fetch';
import type { Drive } from '../drive.js';
import type { components, paths } from './demo-api.js';

type Schemas = components['schemas'];
type Client = ReturnType<typeof createClient<paths>>;

export const drive: Drive = (baseUrl, fetch) => {
  const api = createClient<paths>({ baseUrl, fetch });
  return {
    processText: (data) => processText(api, data),
    summarize: (csv) => summarize(api, csv),
    sleepAndCancel: (id) => sleepAndCancel(api, id),
    ask: (id) => ask(api, id),
    misspell: () => misspell(api),
  };
};

async function processText(api: Client, data: string): Promise<string | undefined> {
  const submitted = await api.POST('/api/process-data', { body: { data } });
  if (!submitted.data) throw new Error(describe(submitted.error));
  const { name, id }: { name: 'ProcessData'; id: string } = submitted.data;
  const waited = await api.GET('/jobs/{id}', { params: { path: { id }, header: { Prefer: 'wait=20' } } });
  const job: Schemas['AsyncJob'] | undefined = waited.data;
  if (job?.status !== 'Completed') throw new Error(`${name} is ${job?.status}`);
  const result = await api.GET('/jobs/{id}/result', { params: { path: { id } } });
  return (result.data as Schemas['ProcessedData']).processedData;
}

async function summarize(api: Client, csv: string): Promise<number | undefined> {
  const { data } = await api.POST('/api/csv-summaries', {
    params: { header: { Prefer: 'wait=20' } },
    headers: { 'Content-Type': 'text/csv' },
    body: csv,
    bodySerializer: (text) => text,
  });
  const columns: Schemas['ColumnSummary'][] | undefined = data?.result?.columns;
  return columns?.find(({ type }) => type === 'integer')?.mean ?? undefined;
}

async function sleepAndCancel(api: Client, id: string): Promise<string[]> {
  const body = { durationMs: 600_000 };
  const header = { 'X-Async-Request-Id': id };
  const seen = [];
  for (const time of ['first', 'again']) {
    const { data, response } = await api.POST('/api/demo/sleep', { params: { header }, body });
    seen.push(`${time}: ${data?.id} ${response.headers.get('Idempotency-Replayed')}`);
  }
  const canceled = await api.DELETE('/jobs/{id}', { params: { path: { id } } });
  seen.push(`${canceled.data?.status}`);
  const result = await api.GET('/jobs/{id}/result', { params: { path: { id } } });
  seen.push(describe(result.error));
  return seen;
}

async function ask(api: Client, id: string): Promise<string> {
  const { data, error } = await api.GET('/jobs/{id}', { params: { path: { id } } });
  return data ? data.status : describe(error);
}

async function misspell(api: Client): Promise<string> {
  // @ts-expect-error it is called data
  const { error } = await api.POST('/api/process-data', { body: { text: 'text' } });
  return describe(error);
}

function describe(error: Schemas['AsyncEndpointsProblem'] | Schemas['HttpExceptionBody'] | undefined): string {
  if (error === undefined) return 'no error';
  if (!('code' in error)) return `${error.statusCode}: ${[error.message].flat().join(', ')}`;
  // @ts-expect-error there is no such code
  if (error.code === 'NO_SUCH_CODE') return 'impossible';
  return error.code === 'JOB_FAILED' ? `${error.code}: ${error.error?.code}` : error.code;
}
