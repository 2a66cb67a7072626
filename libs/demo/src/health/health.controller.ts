import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthCheck, type HealthCheckResult, HealthCheckService, MemoryHealthIndicator } from '@nestjs/terminus';
import { JobStore } from 'nestjs-async-endpoints';
import { JobStoreHealthIndicator, JobWorkerHealthIndicator, liveness } from 'nestjs-async-endpoints/health';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';

const STORE_TIMEOUT_MS = 5_000;
const MAXIMUM_RSS_BYTES = 500 * 1024 * 1024;

/** For whoever runs this: no part of what is documented for clients. */
@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly store: JobStoreHealthIndicator,
    private readonly worker: JobWorkerHealthIndicator,
    private readonly memory: MemoryHealthIndicator,
    private readonly jobs: JobStore,
  ) {}

  /** For people and dashboards: everything. */
  @Get()
  @HealthCheck()
  all(): Promise<HealthCheckResult> {
    return this.health.check([
      ...['asyncendpoints', ...(this.jobs instanceof RedisJobStore ? ['redis'] : [])].map(
        (name) => () => this.store.isHealthy(name, { timeoutMs: STORE_TIMEOUT_MS }),
      ),
      () => this.worker.isHealthy('worker'),
      () => this.memory.checkRSS('memory', MAXIMUM_RSS_BYTES),
    ]);
  }

  /** 503: restart this process. Says nothing of the store, whose absence a restart would not mend; 200 while it drains. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return liveness(() => this.health.check([() => this.worker.isHealthy('worker')]));
  }

  /** 503: send requests elsewhere. So from the moment that shutdown begins. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.store.isReady('asyncendpoints', { timeoutMs: STORE_TIMEOUT_MS })]);
  }
}
