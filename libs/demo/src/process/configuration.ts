import { type AsyncEndpointsConfiguration, type ConfigOptions, fromConfig } from 'nestjs-async-endpoints/config';

/** More jobs at once than there are processors, because the demo's jobs mostly wait. */
const DEFAULTS = { worker: { maxConcurrency: 16 } };

/**
 * The library as files and variables would have it.
 *
 * @param roles that the process can have, its default first
 * @param from where to read, if not from this process
 * @param file with the jobs, unless files or variables say otherwise
 * @throws AsyncEndpointsError `INVALID_OPTION`
 */
export function configuration(
  roles: ConfigOptions['roles'],
  from: Pick<ConfigOptions, 'env' | 'cwd'> = {},
  file?: string,
): AsyncEndpointsConfiguration {
  return fromConfig({ roles, defaults: { ...DEFAULTS, ...(file && { sqlite: { path: file } }) }, ...from });
}
