import { type AsyncEndpointsConfiguration, type ConfigOptions, fromConfig } from 'nestjs-async-endpoints/config';

/** More concurrent jobs than processors, because the jobs of the demo mostly wait. */
const DEFAULTS = { worker: { maxConcurrency: 16 } };

/**
 * Configures the library from files and variables.
 *
 * @param roles the roles that the process can have, the default first
 * @param from the environment and folder to read; by default those of this process
 * @param file the SQLite file, unless files or variables set another store
 * @throws AsyncEndpointsError `INVALID_OPTION`
 */
export function configuration(
  roles: ConfigOptions['roles'],
  from: Pick<ConfigOptions, 'env' | 'cwd'> = {},
  file?: string,
): AsyncEndpointsConfiguration {
  return fromConfig({ roles, defaults: { ...DEFAULTS, ...(file && { sqlite: { path: file } }) }, ...from });
}
