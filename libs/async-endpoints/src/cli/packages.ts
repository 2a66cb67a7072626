import { createRequire } from 'node:module';
import { UsageError } from './exit.js';

/** Optional peers of the library, because most of its users never run this tool. `--help` needs only the first. */
const PACKAGES = {
  commander: 'reads the command line',
  'class-validator': 'checks the configuration',
  ioredis: 'connects to Redis',
} as const;

type PackageName = keyof typeof PACKAGES;

/**
 * @param needed the packages to continue with
 * @throws UsageError when one of these is missing; it names all packages that a command needs, so that one install is enough
 */
export function requirePackages(...needed: PackageName[]): void {
  const missing = (Object.keys(PACKAGES) as PackageName[]).filter((name) => !isInstalled(name));
  if (!needed.some((name) => missing.includes(name))) return;
  const listed = missing.map((name) => `${name} (${PACKAGES[name]})`).join(', ');
  throw new UsageError(`Missing packages: ${listed}. Run: npm install ${missing.join(' ')}`);
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // A package that holds only ES modules is there, although it cannot be required.
    return (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND';
  }
}
