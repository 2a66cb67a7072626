import { ConsoleLogger, type ConsoleLoggerOptions, type LogLevel } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { printable, textOf } from '../events/error-text.js';
import { currentJob, followJobs } from '../events/job-scope.js';
import { spanContextOf } from './tracing.js';

/**
 * The console logger of Nest, with the job of each line in its JSON output, whatever code logs it: `jobId`, `jobName` and
 * `attempt`, and within a span `traceId` and `spanId`. In text output it removes the escape sequences of messages.
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
    // Leave out the properties of an error, because drivers keep their arguments there.
    return super.stringifyMessage(text instanceof Error ? textOf(text) : text, logLevel);
  }

  protected override printStackTrace(stack: string): void {
    super.printStackTrace(stack && printable(stack));
  }
}
