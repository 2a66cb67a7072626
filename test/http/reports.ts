import { Body, Controller, Post, type Type } from '@nestjs/common';
import { AsyncEndpoint, AsyncHandler, defineJob, type JobContext, type JobDefinition } from 'nestjs-async-endpoints';
import { Gate } from './gate.js';

export interface ReportRequest {
  title: string;
  pages?: number;
}

export interface ReportResult {
  text: string;
}

/** The job that most of these tests submit. */
export const Report = defineJob<ReportRequest, ReportResult>('Report', { retryDelayBaseMs: 0 });

@Controller('reports')
export class ReportsController {
  @Post()
  @AsyncEndpoint(Report)
  create(@Body() request: ReportRequest) {
    return request;
  }
}

/** A handler class that runs the function. */
export function handlerOf<TRequest, TResult>(
  job: JobDefinition<unknown, TResult, TRequest>,
  handle: (request: TRequest, context: JobContext) => TResult | Promise<TResult>,
): Type {
  @AsyncHandler(job)
  class TestHandler {
    handle(request: TRequest, context: JobContext) {
      return handle(request, context);
    }
  }
  return TestHandler;
}

/** Writes the report at once. */
export const ReportHandler = handlerOf(Report, ({ title }) => ({ text: `About ${title}` }));

/** A handler that reports its start, and ends when the test lets it. */
export class HeldReport {
  readonly started = new Gate<JobContext>();
  readonly finish = new Gate<ReportResult>();
  readonly returned = new Gate();
  readonly Handler = handlerOf(Report, async (_request, context) => {
    this.started.open(context);
    const result = await this.finish.opened;
    this.returned.open();
    return result;
  });
}

/** An application that accepts reports and has no worker. */
export const ACCEPTING = { controllers: [ReportsController], options: { role: 'api' as const } };

export const UNKNOWN_ID = 'd0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00';
