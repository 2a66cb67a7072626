import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthCheck, type HealthCheckResult, HealthCheckService, MemoryHealthIndicator } from '@nestjs/terminus';
import { JobStore } from 'nestjs-async-endpoints';
import { JobStoreHealthIndicator, JobWorkerHealthIndicator, liveness } from 'nestjs-async-endpoints/health';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';

const STORE_TIMEOUT_MS = 5_000;
const MAXIMUM_RSS_BYTES = 500 * 1024 * 1024;

/** For operators: excluded from the documents for clients. */
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

  /** All checks, for people and dashboards. */
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

  /**
   * 503 means: restart this process. It does not check the store, because a restart would not help; 200 while it
   * drains.
   */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return liveness(() => this.health.check([() => this.worker.isHealthy('worker')]));
  }

  /** 503 means: send requests to another process. 503 from the beginning of the shutdown. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.store.isReady('asyncendpoints', { timeoutMs: STORE_TIMEOUT_MS })]);
  }
}
