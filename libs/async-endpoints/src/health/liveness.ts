import { ServiceUnavailableException } from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';

/**
 * Runs a liveness check that stays successful during the shutdown. Terminus itself answers with 503 as soon as the application
 * shuts down, whatever the indicators return, and an orchestrator would then kill a process that still drains its jobs.
 *
 * @param check such as `() => health.check([() => worker.isHealthy()])`
 * @throws ServiceUnavailableException when an indicator is down
 */
export async function liveness(check: () => Promise<HealthCheckResult>): Promise<HealthCheckResult> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ServiceUnavailableException)) throw error;
    const result = error.getResponse() as HealthCheckResult;
    if (result.status !== 'shutting_down' || Object.keys(result.error ?? {}).length > 0) throw error;
    return result;
  }
}
