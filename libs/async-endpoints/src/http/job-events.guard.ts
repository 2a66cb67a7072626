import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { HttpRequest } from '../options.js';
import { JobMonitor } from './job-monitor.js';

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
