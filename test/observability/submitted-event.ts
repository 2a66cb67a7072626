import { Injectable } from '@nestjs/common';
import type { ResponseOptions } from 'nestjs-async-endpoints';

/** A placeholder for your telemetry client, such as Application Insights. */
@Injectable()
export class TelemetryClient {
  readonly events: { name: string; properties: Record<string, string> }[] = [];

  trackEvent(name: string, properties: Record<string, string>): void {
    this.events.push({ name, properties });
  }
}

/** For `AsyncEndpointsModule.forRoot({ response })`. */
export const response: ResponseOptions = {
  jobSubmitted: (job, { get, reply }) => {
    if (!job.replayed) get(TelemetryClient).trackEvent('JobSubmitted', { JobId: job.id, JobName: job.name });
    return reply;
  },
};
