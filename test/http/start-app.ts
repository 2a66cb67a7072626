import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { type INestApplication, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AsyncEndpointsModule, type Job, JobManager, type JobRepresentation } from 'nestjs-async-endpoints';
import { Answer } from './answer.js';
import { LogBook } from './log-book.js';
import { type StackName, storeOf } from './stacks.js';

export { ADAPTERS, type AdapterName, STACKS, type StackName } from './stacks.js';

type Options = NonNullable<Parameters<typeof AsyncEndpointsModule.forRoot>[0]>;

export interface AppParts extends ModuleMetadata {
  /** Of `AsyncEndpointsModule.forRoot`. */
  options?: Options;
  /** Instead of `AsyncEndpointsModule.forRoot(options)`. */
  asyncEndpoints?: ModuleMetadata['imports'];
  /** What an application's `main.ts` does before `listen`. */
  configure?: (app: INestApplication) => void;
}

export interface Sent {
  /** A string is sent as it is, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** A whole application on a real port, by default on a store of its own; closed when the test ends. */
export async function startApp(stack: StackName, parts: AppParts): Promise<RunningApp> {
  const { options = {}, asyncEndpoints: given, configure, imports = [], ...rest } = parts;
  const asyncEndpoints = given ?? [asyncEndpointsOf({ ...options, store: options.store ?? (await storeOf(stack)) })];
  const log = new LogBook();
  @Module({ imports: [...asyncEndpoints, ...imports], ...rest })
  class AppModule {}

  const server = stack.startsWith('Express') ? new ExpressAdapter() : new FastifyAdapter();
  const nest = await NestFactory.create(AppModule, server, { logger: log, abortOnError: false });
  configure?.(nest);
  const app = new RunningApp(nest, log);
  onTestFinished(() => app.close());
  await nest.listen(0, '127.0.0.1');
  return app;
}

/** The error message of an application that must refuse to boot. */
export async function bootError(stack: StackName, parts: AppParts | (() => AppParts)): Promise<string> {
  try {
    await startApp(stack, typeof parts === 'function' ? parts() : parts);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code}: ${message}`;
  }
  throw new Error('The application has booted.');
}

/** A failed test must not wait for the handler that it left running. */
function asyncEndpointsOf(options: Options) {
  return AsyncEndpointsModule.forRoot({
    ...options,
    worker: { drainTimeoutMs: 0, abortGraceMs: 0, ...options.worker },
  });
}

export class RunningApp {
  #closed: Promise<void> | undefined;

  constructor(
    readonly nest: INestApplication,
    readonly log: LogBook,
  ) {}

  get jobs(): JobManager {
    return this.nest.get(JobManager);
  }

  get port(): number {
    return (this.nest.getHttpServer() as { address(): { port: number } }).address().port;
  }

  /** All jobs. */
  async all(): Promise<readonly Job[]> {
    return (await this.jobs.list({}, { limit: 1_000 })).jobs;
  }

  async send(method: string, path: string, { body, headers }: Sent = {}): Promise<Answer> {
    const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const type = content === undefined ? undefined : { 'Content-Type': 'application/json' };
    return Answer.of(
      await fetch(`http://127.0.0.1:${this.port}${path}`, { method, body: content, headers: { ...type, ...headers } }),
    );
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send('GET', path, { headers });
  }

  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.send('POST', path, { body, headers });
  }

  delete(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send('DELETE', path, { headers });
  }

  /** Waits for the end of a job and returns its status. */
  async ended({ id, links }: JobRepresentation, headers?: Record<string, string>): Promise<Answer> {
    await this.jobs.waitFor(id);
    return this.get(links.self, headers);
  }

  /** Sends the request unchanged: `fetch` normalises paths and refuses unusual headers. */
  sendRaw(method: string, path: string, headers: OutgoingHttpHeaders = {}, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, method, path, headers, agent: false };
      const sent = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answered = new Headers();
          for (const [name, value] of Object.entries(response.headers)) answered.set(name, String(value));
          resolve(new Answer(response.statusCode as number, answered, Buffer.concat(chunks).toString()));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): Promise<void> {
    return (this.#closed ??= this.nest.close());
  }
}
