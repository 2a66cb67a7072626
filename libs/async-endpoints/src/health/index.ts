export { AsyncEndpointsHealthModule } from './async-endpoints-health.module.js';
export { JobStoreHealthIndicator } from './job-store.health-indicator.js';
export { liveness } from './liveness.js';
export { JobWorkerHealthIndicator } from './job-worker.health-indicator.js';
