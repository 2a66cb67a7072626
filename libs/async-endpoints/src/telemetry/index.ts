export {
  AsyncEndpointsTelemetryModule,
  type AsyncEndpointsTelemetryOptions,
} from './async-endpoints-telemetry.module.js';
export { type Metric, METRICS, type MetricName } from './catalogue.js';
export { JobLogger } from './job-logger.js';
