import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { DashboardGuard } from './access.js';
import { createDashboardController } from './dashboard.controller.js';
import { DashboardFeed } from './feed.js';
import { JobActions } from './job-actions.js';
import { JobsView } from './jobs-view.js';
import {
  type AsyncDashboardAsyncOptions,
  type AsyncDashboardOptions,
  checkRoutes,
  checkRules,
  DASHBOARD_RULES,
  type DashboardRoutes,
  type DashboardRules,
} from './options.js';
import { SchedulesView } from './schedules-view.js';

/** A page on which operators see and steer the jobs of the application's `AsyncEndpointsModule`, which must be global. */
@Module({})
export class AsyncDashboardModule {
  /** @throws AsyncEndpointsError `INVALID_OPTION`, also when there are neither `guards` nor `public: true` */
  static forRoot(options: AsyncDashboardOptions): DynamicModule {
    return compose(options, { provide: DASHBOARD_RULES, useValue: checkRules(options) });
  }

  /**
   * As `forRoot`, with `access`, `owner` and `show` from a factory; path and guards stand beside it.
   *
   * @throws AsyncEndpointsError `INVALID_OPTION`, also when there are neither `guards` nor `public: true`
   */
  static forRootAsync({ useFactory, inject = [], ...routes }: AsyncDashboardAsyncOptions): DynamicModule {
    const useChecked = async (...args: never[]): Promise<DashboardRules> => checkRules(await useFactory(...args));
    return compose(routes, { provide: DASHBOARD_RULES, useFactory: useChecked, inject });
  }
}

function compose(routes: DashboardRoutes, rules: Provider): DynamicModule {
  return {
    module: AsyncDashboardModule,
    imports: [...(routes.imports ?? [])],
    controllers: [createDashboardController(checkRoutes(routes), routes.guards ?? [])],
    providers: [rules, DashboardFeed, DashboardGuard, JobsView, JobActions, SchedulesView],
  };
}
