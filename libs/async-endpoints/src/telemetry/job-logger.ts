import { ConsoleLogger, type ConsoleLoggerOptions, type LogLevel } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { currentJob, followJobs } from '../observability/job-scope.js';
import { spanContextOf } from './tracing.js';

/**
 * Nest's console logger, whose JSON lines also say for which job they were written, whoever wrote them: `jobId`, `jobName`
 * and `attempt`; and `traceId` and `spanId` wherever there is a span.
 */
export class JobLogger extends ConsoleLogger {
  constructor(options: ConsoleLoggerOptions = {}) {
    super({ json: true, ...options });
    followJobs();
  }

  protected override getJsonLogObject(message: unknown, options: { context: string; logLevel: LogLevel }) {
    const job = currentJob();
    const span = trace.getActiveSpan()?.spanContext() ?? (job && spanContextOf(job));
    return {
      ...super.getJsonLogObject(message, options),
      ...(job && { jobId: job.id, jobName: job.name, attempt: job.retryCount + 1 }),
      ...(span && { traceId: span.traceId, spanId: span.spanId }),
    };
  }
}
