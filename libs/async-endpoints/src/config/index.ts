export type {
  AsyncEndpointsSettings,
  ModuleSettings,
  RedisSettings,
  SeedSettings,
} from './async-endpoints-settings.js';
export { type AsyncEndpointsConfiguration, CONFIG_NAMESPACE, fromConfig } from './from-config.js';
export type { ConfigOptions } from './read-settings.js';
