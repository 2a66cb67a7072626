import { ServiceUnavailableException } from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';

/**
 * The result of a liveness check, which Terminus answers with 503 from the moment the application shuts down, whatever the
 * indicators say. A process that drains its jobs is alive: an orchestrator that believes otherwise kills it.
 *
 * @param check such as `() => health.check([() => worker.isHealthy()])`
 * @throws ServiceUnavailableException where an indicator is down
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
