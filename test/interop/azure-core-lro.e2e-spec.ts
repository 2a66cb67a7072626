import { createHttpPoller, type OperationResponse, type OperationState, type RunningOperation } from '@azure/core-lro';
import { type JobRepresentation, PermanentJobError } from 'nestjs-async-endpoints';
import { handlerOf, HeldReport, Report, ReportsController, type ReportResult } from '../http/reports.js';
import { ADAPTERS, type AdapterName, type RunningApp, startApp } from '../http/start-app.js';

const BEES = { title: 'Bees' };
const NO_BEES = { code: 'NO_BEES', message: 'There were no bees.' };
type Job = JobRepresentation<ReportResult>;

/** What every Azure SDK hands to the poller: how to send the first request and the others, and what was answered. */
class Operation implements RunningOperation {
  /** What was answered to each poll. */
  readonly polls: { path: string; statusCode: number; retryAfter?: string }[] = [];
  /** The job, once it is submitted. */
  accepted!: Job;

  constructor(
    private readonly app: RunningApp,
    private readonly first: 'Location' | 'links.result' = 'Location',
  ) {}

  sendInitialRequest = async (): Promise<OperationResponse> => {
    const response = await this.#send('POST', '/reports', BEES);
    this.accepted = response.rawResponse.body as Job;
    if (this.first === 'links.result') response.rawResponse.headers.location = this.accepted.links.result;
    return response;
  };

  sendPollRequest = async (path: string): Promise<OperationResponse> => {
    const response = await this.#send('GET', path);
    const { statusCode, headers } = response.rawResponse;
    this.polls.push({ path, statusCode, retryAfter: headers['retry-after'] });
    return response;
  };

  async #send(method: string, path: string, content?: unknown): Promise<OperationResponse> {
    const { status, headers, body } = await this.app.send(method, path, { body: content });
    const request = { method, url: path };
    return {
      flatResponse: body,
      rawResponse: { statusCode: status, headers: Object.fromEntries(headers), body, request },
    };
  }
}

async function startHeld(adapter: AdapterName) {
  const held = new HeldReport();
  const app = await startApp(adapter, { controllers: [ReportsController], providers: [held.Handler] });
  return { app, held };
}

function startFailing(adapter: AdapterName) {
  const Handler = handlerOf(Report, () => {
    throw new PermanentJobError(NO_BEES.message, NO_BEES);
  });
  return startApp(adapter, { controllers: [ReportsController], providers: [Handler] });
}

function pollerOf<TResult>(operation: Operation, processResult?: (answer: unknown) => Promise<TResult>) {
  return createHttpPoller<TResult, OperationState<TResult>>(operation, { processResult });
}

function cancelOnceRunning(poller: ReturnType<typeof pollerOf>, app: RunningApp, operation: Operation): void {
  poller.onProgress(({ status }) => {
    if (status === 'running') void app.jobs.cancel(operation.accepted.id);
  });
}

/** What became of it, as the caller of the poller learns it. */
function outcomeOf(poller: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(poller).catch((error: Error) => error.message);
}

describe.each(ADAPTERS)('The poller of @azure/core-lro, on %s', (adapter) => {
  it('follows Location to the result of the job, respecting Retry-After', async () => {
    const { app, held } = await startHeld(adapter);
    const operation = new Operation(app);
    const poller = pollerOf(operation, async (job) => (job as Job).result);
    const seen: string[] = [];
    poller.onProgress(({ status }) => {
      seen.push(status);
      held.finish.open({ text: 'About Bees' });
    });
    expect(await poller.pollUntilDone()).toEqual({ text: 'About Bees' });
    expect(seen).toEqual(['running', 'succeeded']);
    const path = operation.accepted.links.self;
    expect(operation.polls).toEqual([
      { path, statusCode: 202, retryAfter: '1' },
      { path, statusCode: 200, retryAfter: undefined },
    ]);
  });

  it('gets the failure and its error from the job', async () => {
    const operation = new Operation(await startFailing(adapter));
    expect(await pollerOf(operation)).toMatchObject({ status: 'Failed', result: null, error: NO_BEES });
  });

  it('gets the cancellation from the job', async () => {
    const { app, held } = await startHeld(adapter);
    const operation = new Operation(app);
    const poller = pollerOf(operation);
    cancelOnceRunning(poller, app, operation);
    expect(await poller).toMatchObject({ id: operation.accepted.id, status: 'Canceled' });
    held.finish.open({ text: '' });
  });

  it('continues in another process', async () => {
    const { app, held } = await startHeld(adapter);
    const restoreFrom = await pollerOf(new Operation(app)).serialize();
    held.finish.open({ text: 'About Bees' });
    const later = new Operation(app);
    const poller = createHttpPoller<Job, OperationState<Job>>(later, { restoreFrom });
    expect(await poller).toMatchObject({ status: 'Completed', result: { text: 'About Bees' } });
  });

  it('follows the result link to the bare result', async () => {
    const { app, held } = await startHeld(adapter);
    const operation = new Operation(app, 'links.result');
    const poller = pollerOf(operation);
    poller.onProgress(() => held.finish.open({ text: 'About Bees' }));
    expect(await poller).toEqual({ text: 'About Bees' });
    const path = operation.accepted.links.result;
    expect(operation.polls.map((poll) => [poll.path, poll.statusCode])).toEqual([
      [path, 202],
      [path, 200],
    ]);
  });

  it('throws for a failed and for a canceled job, by the result link', async () => {
    const failing = pollerOf(new Operation(await startFailing(adapter), 'links.result'));
    expect(await outcomeOf(failing)).toBe('The long-running operation has failed. NO_BEES. There were no bees.');
    expect(failing.operationState?.status).toBe('failed');

    const { app, held } = await startHeld(adapter);
    const operation = new Operation(app, 'links.result');
    const canceled = pollerOf(operation);
    cancelOnceRunning(canceled, app, operation);
    expect(await outcomeOf(canceled)).toBe('The long-running operation has failed');
    expect(operation.polls.at(-1)?.statusCode).toBe(410);
    held.finish.open({ text: '' });
  });
});
