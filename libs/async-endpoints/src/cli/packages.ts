import { createRequire } from 'node:module';
import { UsageError } from './exit.js';

/** These are optional peer dependencies, because most users of the library never run this tool. `--help` needs only the first. */
const PACKAGES = {
  commander: 'reads the command line',
  'class-validator': 'checks the configuration',
  ioredis: 'connects to Redis',
  pg: 'connects to PostgreSQL',
} as const;

type PackageName = keyof typeof PACKAGES;

/**
 * @param needed the packages to continue with
 * @throws UsageError when one of these is missing; it names all packages that a command needs, so that one install is enough
 */
export function requirePackages(...needed: PackageName[]): void {
  if (needed.every(isInstalled)) return;
  const all = new Set<PackageName>(['commander', 'class-validator', ...needed, ...likelyDriver()]);
  const missing = [...all].filter((name) => !isInstalled(name));
  const listed = missing.map((name) => `${name} (${PACKAGES[name]})`).join(', ');
  throw new UsageError(`Missing packages: ${listed}. Run: npm install ${missing.join(' ')}`);
}

/** As far as it can be seen before the configuration is read. */
function likelyDriver(): PackageName[] {
  const { REDIS_URL, POSTGRES_URL, SQLITE_PATH, ASYNC_STORE = '' } = process.env;
  const words = [...process.argv, ASYNC_STORE].join(' ').split(/\W/);
  const isNamed = (stores: readonly string[], place: string | undefined) =>
    stores.some((store) => words.includes(store)) || (place !== undefined && REDIS_URL === undefined);
  if (isNamed(['postgres', 'postgresql'], POSTGRES_URL)) return ['pg'];
  return isNamed(['sqlite'], SQLITE_PATH) ? [] : ['ioredis'];
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // A package with ES modules only is installed, although it cannot be required.
    return (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND';
  }
}
