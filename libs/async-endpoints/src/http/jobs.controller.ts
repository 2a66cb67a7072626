import {
  applyDecorators,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Req,
  Res,
  Sse,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { HttpRequest, StatusRoutesOptions } from '../options.js';
import { JobEventsGuard } from './job-events.guard.js';
import { JobMonitor } from './job-monitor.js';
import { keepReplies } from './keep-replies.js';
import { describeStatusRoutes } from './openapi/describe-status-routes.js';
import { ReplyFilter } from './reply.filter.js';

/** The status routes, under the path, version, guards and decorators that the application chose. */
export function createJobsController({ path, version, guards, decorators }: StatusRoutesOptions): Type {
  @Controller({ path, version })
  @UseFilters(ReplyFilter)
  class JobsController {
    constructor(@Inject(JobMonitor) private readonly monitor: JobMonitor) {}

    @Get(':id')
    status(@Param('id') id: string, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
      return this.monitor.status(id, request, response);
    }

    @Get(':id/result')
    result(@Param('id') id: string, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
      return this.monitor.result(id, request, response);
    }

    @Sse(':id/events')
    @UseGuards(JobEventsGuard)
    events(@Param('id') _id: string, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
      return this.monitor.events(request, response);
    }

    @Delete(':id')
    @HttpCode(200)
    cancel(@Param('id') id: string, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
      return this.monitor.cancel(id, request, response);
    }
  }

  const { status, result, events, cancel } = JobsController.prototype;
  for (const method of [status, result, events, cancel]) keepReplies(method);
  describeStatusRoutes(JobsController, { version });
  applyDecorators(UseGuards(...guards), ...decorators)(JobsController);
  return JobsController;
}
