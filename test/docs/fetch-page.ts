import {
  AsyncHandler,
  defineJob,
  type JobContext,
  type JobHandler,
  PermanentJobError,
  RetryJobError,
} from 'nestjs-async-endpoints';

export interface Page {
  url: string;
}

export const FetchPage = defineJob<Page, { length: number }>('FetchPage', { maxRetries: 5, timeoutMs: 60_000 });

@AsyncHandler(FetchPage)
export class FetchPageHandler implements JobHandler<typeof FetchPage> {
  async handle({ url }: Page, context: JobContext) {
    const response = await fetch(url, { signal: context.signal });
    if (response.status === 404) throw new PermanentJobError(`${url} is not there`, { code: 'NO_SUCH_PAGE' });
    const seconds = response.headers.get('retry-after');
    if (seconds) throw new RetryJobError('asked to come later', Number(seconds) * 1_000);
    if (!response.ok) throw new Error(`${url} said ${response.status}`);
    await context.progress(0.5, 'reading');
    return { length: (await response.text()).length };
  }
}
