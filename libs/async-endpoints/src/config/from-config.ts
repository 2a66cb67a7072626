import type { DynamicModule, InjectionToken } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { STATUS_ROUTES } from '../options/http.js';
import type { AsyncEndpointsExtras, AsyncEndpointsOptions, Role } from '../options/options.js';
import type { AsyncEndpointsSettings } from './async-endpoints-settings.js';
import { createStore } from './create-store.js';
import { type ConfigOptions, readSettings } from './read-settings.js';

/** The argument of `AsyncEndpointsModule.forRootAsync`. */
export interface AsyncEndpointsConfiguration extends AsyncEndpointsExtras {
  readonly role: Role;
  readonly imports: DynamicModule[];
  readonly inject: InjectionToken[];
  useFactory(settings: AsyncEndpointsSettings): Promise<AsyncEndpointsOptions>;
}

/** The namespace of the settings in `ConfigService`: `config.get('asyncEndpoints.worker.leaseMs')`. */
export const CONFIG_NAMESPACE = 'asyncEndpoints';

/**
 * Reads and validates the options of the library from a JSON file, environment variables and code, for
 * `AsyncEndpointsModule.forRootAsync(fromConfig())`. Later sources override earlier ones: defaults, file, `.env`, environment,
 * `overrides`.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION` that names each mistake, its source, and the expected value
 */
export function fromConfig(options: ConfigOptions = {}): AsyncEndpointsConfiguration {
  const settings = readSettings(options);
  const namespace = registerAs(CONFIG_NAMESPACE, () => settings);
  return {
    role: settings.role,
    isGlobal: settings.isGlobal,
    http: partOf(settings.http, isOfStatusRoutes),
    imports: [ConfigModule.forFeature(namespace)],
    inject: [namespace.KEY],
    useFactory: optionsOf,
  };
}

async function optionsOf(settings: AsyncEndpointsSettings): Promise<AsyncEndpointsOptions> {
  const { worker, jobs, recovery, context, response, http = {} } = settings;
  const store = await createStore(settings);
  return { store, worker, jobs, recovery, context, response, http: partOf(http, (name) => !isOfStatusRoutes(name)) };
}

const isOfStatusRoutes = (name: string): boolean => Object.hasOwn(STATUS_ROUTES, name);

function partOf<T extends object>(group: T, isIn: (name: string) => boolean): Partial<T> {
  return Object.fromEntries(Object.entries(group).filter(([name]) => isIn(name))) as Partial<T>;
}
