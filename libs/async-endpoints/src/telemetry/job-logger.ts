import { ConsoleLogger, type ConsoleLoggerOptions, type LogLevel } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { printable, textOf } from '../events/error-text.js';
import { currentJob, followJobs } from '../events/job-scope.js';
import { spanContextOf } from './tracing.js';

/**
 * Nest's console logger, whose JSON lines also say for which job they were written, whoever wrote them: `jobId`, `jobName`
 * and `attempt`; and `traceId` and `spanId` wherever there is a span. As text, it writes no escape sequence of a message.
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

  protected override stringifyMessage(message: unknown, logLevel: LogLevel): string {
    const text = typeof message === 'string' ? printable(message) : message;
    // Without the properties of an error, in which drivers keep what they were called with.
    return super.stringifyMessage(text instanceof Error ? textOf(text) : text, logLevel);
  }

  protected override printStackTrace(stack: string): void {
    super.printStackTrace(stack && printable(stack));
  }
}
