import {
  applyDecorators,
  type CanActivate,
  Controller,
  Delete,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  Injectable,
  Param,
  Req,
  Res,
  Sse,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { keepReplies } from '../../nest/internals.js';
import type { HttpRequest, StatusRoutesOptions } from '../../options/options.js';
import { describeStatusRoutes } from '../openapi/describe-status-routes.js';
import { ReplyFilter } from '../reply/reply.filter.js';
import { JobMonitor } from './job-monitor.js';

/** The status routes, under the path, version, guards and decorators that the application chose. */
export function createJobsController({ path, version, guards, decorators }: StatusRoutesOptions): Type {
  @Controller({ path, version })
  @UseFilters(ReplyFilter)
  class JobsController {
    constructor(@Inject(JobMonitor) private readonly monitor: JobMonitor) {}

    @Get(':id')
    status(@Param('id') id: string, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
      return this.monitor.show('status', id, request, response);
    }

    @Get(':id/result')
    result(@Param('id') id: string, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
      return this.monitor.show('result', id, request, response);
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

/**
 * Finds the job of an event stream, after all other guards. With an interceptor around the route, Nest sends the headers of a
 * stream before the controller's method has answered, so that a refusal of the method itself would come too late.
 */
@Injectable()
export class JobEventsGuard implements CanActivate {
  constructor(@Inject(JobMonitor) private readonly monitor: JobMonitor) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const http = context.switchToHttp();
    const request = http.getRequest<HttpRequest & { params: { id: string } }>();
    await this.monitor.admitToEvents(request.params.id, request, http.getResponse());
    return true;
  }
}
