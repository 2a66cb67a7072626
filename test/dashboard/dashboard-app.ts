import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CanActivate, type ExecutionContext, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type * as Main from 'nestjs-async-endpoints';
import type { JobManager, JobStore } from 'nestjs-async-endpoints';
import type * as Dashboard from 'nestjs-async-endpoints/dashboard';
import type { AsyncDashboardOptions } from 'nestjs-async-endpoints/dashboard';
import type * as Redis from 'nestjs-async-endpoints/redis';

/* The page is compiled by the build, so that these tests use the package as it was built. */
const built = async <T>(entry: string): Promise<T> =>
  (await import(new URL(`../../libs/async-endpoints/dist/${entry}/index.js`, import.meta.url).href)) as T;

const main = await built<typeof Main>('.');
const dashboard = await built<typeof Dashboard>('dashboard');
const redis = await built<typeof Redis>('stores/redis');

export const { AsyncDashboardModule } = dashboard;
export const { RedisJobStore } = redis;
export const { MemoryJobStore } = main;

/** What a guard of an application does: refuse who has no key, say who has. */
export class KeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: object }>();
    request.user = { username: 'anna' };
    return request.headers['x-key'] !== 'wrong';
  }
}

export interface DashboardApp {
  readonly nest: INestApplication;
  readonly url: string;
  readonly jobs: JobManager;
  readonly log: string[];
}

/** An application with a dashboard at `/admin/jobs`, whose workers handle `Echo`. */
export async function startDashboard(
  adapter: 'Express' | 'Fastify',
  store: JobStore,
  options: Partial<AsyncDashboardOptions> = {},
  configure: (nest: INestApplication) => void = () => {},
): Promise<DashboardApp> {
  class Echo {
    handle(payload: { fail?: string; crash?: string; result?: unknown }): unknown {
      if (payload.crash !== undefined) throw new Error(payload.crash);
      if (payload.fail !== undefined) throw new main.PermanentJobError(payload.fail, { code: 'BROKEN' });
      return payload.result ?? null;
    }
  }
  main.AsyncHandler('Echo')(Echo);
  @Module({
    imports: [
      main.AsyncEndpointsModule.forRoot({ store, worker: { drainTimeoutMs: 0, abortGraceMs: 0 } }),
      AsyncDashboardModule.forRoot({ path: 'admin/jobs', guards: [KeyGuard], access: () => 'operate', ...options }),
    ],
    providers: [Echo],
  })
  class AppModule {}
  const log: string[] = [];
  const note = (message: unknown) => void log.push(String(message));
  const logger = { log: note, warn: note, error: note };
  const nest = await NestFactory.create(
    AppModule,
    adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(),
    {
      logger,
      abortOnError: false,
    },
  );
  configure(nest);
  await nest.listen(0, '127.0.0.1');
  return { nest, url: await nest.getUrl(), jobs: nest.get(main.JobManager), log };
}

/** A proxy that serves an application below a prefix, which the application does not see. */
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
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`, server };
}
