import type { CanActivate, DynamicModule, InjectionToken, OptionalFactoryDependency, Type } from '@nestjs/common';
import { invalid } from '../job/bounds.js';
import { invalidOption } from '../job/errors.js';
import type { HttpRequest } from '../options/options.js';

/** The access of a request: none, read, or also cancel, rerun, pause and resume. */
export type DashboardAccess = 'none' | 'read' | 'operate';

/** What decides about each request, and what the page may show. */
export interface DashboardRules {
  /**
   * Decides what each request may do, after the guards. When it returns anything else, the request is refused with 403. Default:
   * `read`.
   */
  access?: ((request: HttpRequest) => DashboardAccess | Promise<DashboardAccess>) | undefined;
  /**
   * Limits the page to the jobs of one owner; null shows the jobs of all owners. With an owner, the page has no overview and
   * no pause, because both concern the jobs of others, and shows neither workers nor the messages of internal errors. A request
   * for which it returns neither a text nor null is refused with 403. Default: null.
   */
  owner?: ((request: HttpRequest) => string | null | Promise<string | null>) | undefined;
  show?: DashboardShow | undefined;
}

export interface DashboardShow {
  /**
   * Whether payloads leave the server, and the captured headers and context with them. Default: true, but false for a request with
   * an owner, because the application may add to a payload what its clients must not see. With true, an owner sees the payload, and
   * neither headers nor context.
   */
  payload?: boolean | undefined;
  /** Whether results and the details of errors leave the server. Default: true. */
  result?: boolean | undefined;
  /**
   * Replaces values of payloads, headers, results and error details before they leave the server, after the values of keys named
   * like credentials are masked. The path is that of the value, such as `['customer', 'email']`, and empty for the whole. Return
   * the value to show it as it is. A value for which it throws is masked.
   */
  redact?: ((path: readonly string[], value: unknown) => unknown) | undefined;
}

/** Where the dashboard is and who gets there: known before the application is put together. */
export interface DashboardRoutes {
  /** Below the global prefix. Default: `async-endpoints`. */
  path?: string | undefined;
  /** Run for the page, its assets, its data, its streams and its actions. Required unless `public` is true. */
  guards?: readonly (Type<CanActivate> | CanActivate)[] | undefined;
  /** Whether everybody may open the dashboard. Default: false. */
  public?: boolean | undefined;
  /** Modules that export what the guards or the factory inject. */
  imports?: DynamicModule['imports'] | undefined;
}

export interface AsyncDashboardOptions extends DashboardRoutes, DashboardRules {}

export interface AsyncDashboardAsyncOptions extends DashboardRoutes {
  inject?: (InjectionToken | OptionalFactoryDependency)[] | undefined;
  useFactory: (...args: never[]) => DashboardRules | Promise<DashboardRules>;
}

export const DASHBOARD_RULES: unique symbol = Symbol('DASHBOARD_RULES');

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkRoutes({ path = 'async-endpoints', guards = [], public: isPublic }: DashboardRoutes): string {
  if (typeof path !== 'string' || path.replaceAll('/', '') === '') {
    throw invalid(of('path'), path, 'a path such as admin/jobs');
  }
  if (guards.length === 0 && isPublic !== true) {
    throw invalidOption(
      'The dashboard has no guards, so everybody could read your jobs. Give AsyncDashboardModule `guards: [YourGuard]`, or ' +
        '`public: true` if everybody may.',
    );
  }
  return path;
}

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkRules(rules: DashboardRules): DashboardRules {
  const { access, owner, show = {} } = rules;
  for (const [name, value] of Object.entries({ access, owner, 'show.redact': show.redact })) {
    if (value !== undefined && typeof value !== 'function') throw invalid(of(name), value, 'a function');
  }
  for (const [name, value] of Object.entries({ 'show.payload': show.payload, 'show.result': show.result })) {
    if (value !== undefined && typeof value !== 'boolean') throw invalid(of(name), value, 'true or false');
  }
  return rules;
}

function of(name: string): string {
  return `${name} of AsyncDashboardModule`;
}
