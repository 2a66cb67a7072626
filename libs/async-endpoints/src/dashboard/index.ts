/* `nestjs-async-endpoints/dashboard`: a page on which operators see and steer jobs. */
export { AsyncDashboardModule } from './async-dashboard.module.js';
export type {
  AsyncDashboardAsyncOptions,
  AsyncDashboardOptions,
  DashboardAccess,
  DashboardRoutes,
  DashboardRules,
  DashboardShow,
} from './options.js';
