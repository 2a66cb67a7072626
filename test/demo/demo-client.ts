import type { JobRepresentation } from 'nestjs-async-endpoints';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Talks to a demo over HTTP, as anybody's client would. */
export class DemoClient {
  constructor(readonly url: string) {}

  get(path: string): Promise<Answer> {
    return this.request(path);
  }

  delete(path: string): Promise<Answer> {
    return this.request(path, { method: 'DELETE' });
  }

  postJson(path: string, body: unknown): Promise<Answer> {
    return this.post(path, 'application/json', JSON.stringify(body));
  }

  post(path: string, contentType: string, body: string | Uint8Array<ArrayBuffer>): Promise<Answer> {
    return this.request(path, { method: 'POST', headers: { 'Content-Type': contentType }, body });
  }

  /** Submits, and answers where the job can be followed. */
  async submit(path: string, body: unknown): Promise<string> {
    return locationOf(await this.postJson(path, body));
  }

  async submitCsv(csv: string): Promise<string> {
    return locationOf(await this.post('/api/csv-summaries', 'text/csv', csv));
  }

  /** Asks again and again, with nothing but the answers to wait for, and gives back all of them up to the one sought. */
  async follow<TResult>(
    location: string,
    isSought = (job: JobRepresentation<TResult>) => isFinished(job),
  ): Promise<JobRepresentation<TResult>[]> {
    const seen: JobRepresentation<TResult>[] = [];
    for (;;) {
      const job = (await this.get(location)).body as JobRepresentation<TResult>;
      seen.push(job);
      if (isSought(job)) return seen;
      if (isFinished(job)) throw new Error(`It will not come to that any more: ${JSON.stringify(job)}`);
    }
  }

  async finished<TResult>(location: string): Promise<JobRepresentation<TResult>> {
    return (await this.follow<TResult>(location)).at(-1) as JobRepresentation<TResult>;
  }

  async running(location: string): Promise<void> {
    await this.follow(location, ({ status }) => status === 'InProgress');
  }

  async request(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }
}

function locationOf({ status, headers, body }: Answer): string {
  const location = headers.get('location');
  if (status !== 202 || location === null) throw new Error(`Not accepted: ${status} ${JSON.stringify(body)}`);
  return location;
}

function isFinished({ status }: JobRepresentation): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Canceled';
}
