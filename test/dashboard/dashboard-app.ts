import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  type INestApplication,
  Module,
  type ModuleMetadata,
  Post,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type * as Main from 'nestjs-async-endpoints';
import type { JobContext, JobStore } from 'nestjs-async-endpoints';
import type { AsyncDashboardOptions } from 'nestjs-async-endpoints/dashboard';
import {
  AsyncDashboardModule,
  AsyncEndpoint,
  AsyncEndpointsModule,
  AsyncHandler,
  defineJob,
  JobManager,
  PermanentJobError,
  RetryJobError,
} from './built.js';

export const ADAPTERS = ['Express', 'Fastify'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

/** A guard of an application: refuses requests without a key, and sets the user. */
export class KeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: object }>();
    request.user = { username: 'anna' };
    return request.headers['x-key'] !== 'wrong';
  }
}

interface EchoPayload {
  fail?: string;
  crash?: string;
  retry?: string;
  result?: unknown;
}

/** Follows the instructions in its payload. */
class Echo {
  handle({ fail, crash, retry, result = null }: EchoPayload): unknown {
    if (crash !== undefined) throw new Error(crash);
    if (retry !== undefined) throw new RetryJobError(retry, 600_000);
    if (fail !== undefined)
      throw new PermanentJobError(fail, { code: 'BROKEN', details: { password: 'p', host: 'db' } });
    return result;
  }
}
AsyncHandler('Echo')(Echo);

/** Reports half of its progress, and runs until it is canceled. */
class Slow {
  async handle(_payload: unknown, context: JobContext): Promise<void> {
    await context.progress(0.5, 'half way');
    await new Promise((_, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error));
    });
  }
}
AsyncHandler('Slow')(Slow);

const EchoJob = defineJob<object, unknown>('Echo');

@Controller('echo')
class EchoController {
  @Post()
  @AsyncEndpoint(EchoJob)
  echo(): object {
    return { total: 3 };
  }
}

export interface DashboardApp {
  readonly nest: INestApplication;
  readonly url: string;
  readonly jobs: Main.JobManager;
  readonly log: string[];
}

interface Parts {
  readonly options?: Partial<AsyncDashboardOptions>;
  /** Instead of the module with these options. */
  readonly dashboard?: ModuleMetadata['imports'];
  readonly imports?: ModuleMetadata['imports'];
  /** Every third sweep, workers tell what ended in them. */
  readonly sweepIntervalMs?: number;
  /** How long completed jobs are kept. */
  readonly completedMs?: number;
  readonly configure?: (nest: INestApplication) => void;
}

/** An application with a dashboard at `/admin/jobs`, whose workers handle `Echo` and `Slow`; closed when the test ends. */
export async function startDashboard(adapter: AdapterName, store: JobStore, parts: Parts = {}): Promise<DashboardApp> {
  const { options, sweepIntervalMs, completedMs, configure = () => {}, imports = [] } = parts;
  const dashboard = parts.dashboard ?? [
    AsyncDashboardModule.forRoot({ path: 'admin/jobs', guards: [KeyGuard], access: () => 'operate', ...options }),
  ];
  const worker = { drainTimeoutMs: 0, abortGraceMs: 0, workerId: 'worker-1' };
  @Module({
    imports: [
      AsyncEndpointsModule.forRoot({
        store,
        worker,
        recovery: { sweepIntervalMs },
        jobs: { retention: { completedMs } },
      }),
      ...dashboard,
      ...imports,
    ],
    controllers: [EchoController],
    providers: [Echo, Slow],
  })
  class AppModule {}
  const log: string[] = [];
  const note = (message: unknown) => void log.push(String(message));
  const server = adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter();
  const logger = { log: note, warn: note, error: note };
  const nest = await NestFactory.create(AppModule, server, { logger, abortOnError: false });
  configure(nest);
  onTestFinished(() => nest.close());
  await nest.listen(0, '127.0.0.1');
  return { nest, url: await nest.getUrl(), jobs: nest.get(JobManager), log };
}

/** A proxy that serves an application below a prefix, which the application does not see; closed when the test ends. */
export async function startStrippingProxy(prefix: string, target: string): Promise<{ url: string; server: Server }> {
  const server = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? '').replace(new RegExp(`^${prefix}`), '');
    const forwarded = httpRequest(target + path, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  onTestFinished(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`, server };
}
