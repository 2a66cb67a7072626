import { devNull } from 'node:os';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Inject,
  Injectable,
  Module,
  Optional,
  Post,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  AsyncEndpoint,
  AsyncEndpointsError,
  AsyncEndpointsModule,
  JobManager,
  JobWorker,
  MemoryJobStore,
} from 'nestjs-async-endpoints';
import type {
  Claim,
  ClaimRequest,
  Recovered,
  NewJob,
  Renewal,
  RenewalReply,
  Settlement,
  Submission,
} from 'nestjs-async-endpoints/store';
import { type AsyncEndpointsSettings, fromConfig } from 'nestjs-async-endpoints/config';
import { type Script, Scripted, ScriptedHandler } from 'nestjs-async-endpoints/testing';

/** A memory store that records its calls. */
export class NotedStore extends MemoryJobStore {
  readonly submitted: NewJob[] = [];
  readonly claims: ClaimRequest[] = [];
  readonly settled: Settlement[] = [];
  readonly recoveries: { limit: number; maxCrashes: number }[] = [];
  purges = 0;
  /** Whether renewals get a reply; false simulates a disconnected store. */
  renews = true;
  /** Whether workers are notified of work; otherwise they must poll. */
  announces = true;

  override submit(jobs: readonly NewJob[], limits: { queueLimit: number }): Promise<Submission[]> {
    this.submitted.push(...jobs);
    return super.submit(jobs, limits);
  }

  override claim(request: ClaimRequest): Promise<Claim[]> {
    this.claims.push(request);
    return super.claim(request);
  }

  override settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    this.settled.push(...settlements);
    return super.settle(settlements);
  }

  override async renew(renewals: readonly Renewal[]): Promise<RenewalReply[]> {
    if (!this.renews) throw new AsyncEndpointsError('STORE_UNAVAILABLE');
    return super.renew(renewals);
  }

  override recover(options: { limit: number; maxCrashes: number }): Promise<Recovered[]> {
    this.recoveries.push(options);
    return super.recover(options);
  }

  override purge(limit: number): Promise<string[]> {
    this.purges++;
    return super.purge(limit);
  }
}

@Controller('scripts')
class ScriptsController {
  @Post()
  @AsyncEndpoint(Scripted)
  create(@Body() script: Script) {
    return script;
  }
}

/** A global guard that records its calls. */
@Injectable()
class NotingGuard implements CanActivate {
  static readonly types: string[] = [];

  canActivate(context: ExecutionContext): boolean {
    NotingGuard.types.push(context.getType());
    return true;
  }
}

/** A provider in a module that does not import the module of the library. */
@Injectable()
class Elsewhere {
  constructor(@Optional() @Inject(JobManager) readonly jobs: JobManager | undefined) {}
}

@Module({ providers: [Elsewhere] })
class ElsewhereModule {}

/** A whole application, configured by these variables and overrides and by nothing else. */
export class ConfiguredApp {
  private constructor(
    readonly nest: NestFastifyApplication,
    readonly store: NotedStore,
    readonly url: string,
  ) {}

  static async boot(
    env: Readonly<Record<string, string>>,
    overrides: AsyncEndpointsSettings = {},
  ): Promise<ConfiguredApp> {
    const store = new NotedStore();
    NotingGuard.types.length = 0;
    // The options here must not override the variables.
    const isSaid =
      'ASYNC_STORE' in env ||
      'REDIS_URL' in env ||
      'SQLITE_PATH' in env ||
      'POSTGRES_URL' in env ||
      'store' in overrides;
    const code = isSaid ? overrides : { store, ...overrides };
    @Module({
      imports: [AsyncEndpointsModule.forRootAsync(fromConfig({ env, cwd: devNull, overrides: code })), ElsewhereModule],
      controllers: [ScriptsController],
      providers: [ScriptedHandler, { provide: APP_GUARD, useClass: NotingGuard }],
    })
    class AppModule {}
    const options = { logger: false, abortOnError: false } as const;
    const nest = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), options);
    nest.enableVersioning({ type: VersioningType.URI });
    try {
      await nest.listen(0, '127.0.0.1');
    } catch (error) {
      await nest.close();
      throw error;
    }
    return new ConfiguredApp(nest, store, await nest.getUrl());
  }

  get jobs(): JobManager {
    return this.nest.get(JobManager);
  }

  get worker(): JobWorker {
    return this.nest.get(JobWorker);
  }

  get handler(): ScriptedHandler {
    return this.nest.get(ScriptedHandler);
  }

  /** The calls of the global guard. */
  get guarded(): string[] {
    return NotingGuard.types;
  }

  get isElsewhere(): boolean {
    return this.nest.get(Elsewhere, { strict: false }).jobs !== undefined;
  }

  post(script: Script, headers: Record<string, string> = {}, query = ''): Promise<Response> {
    const type = { 'Content-Type': 'application/json' };
    return fetch(`${this.url}/scripts${query}`, {
      method: 'POST',
      headers: { ...type, ...headers },
      body: JSON.stringify(script),
    });
  }

  get(path: string): Promise<Response> {
    return fetch(this.url + path);
  }

  /** Does not wait for a run that only the test could end. */
  async close(): Promise<void> {
    for (const { leave } of this.handler.runs) leave.open(null);
    await this.nest.close();
  }
}
