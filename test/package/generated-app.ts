import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ours = new URL('generated-app/', import.meta.url).pathname;
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];
const examples = new URL('../docs/testing/', import.meta.url).pathname;
/** Neither building nor testing needs them; they are half of what would be installed. */
const UNUSED = /eslint|prettier|^globals$|^@nestjs\/(cli|schematics)$|^ts-(loader|node)$|^tsconfig-paths$/;

export interface GeneratedApp {
  readonly folder: string;
  npm(...args: string[]): Promise<{ stdout: string; stderr: string }>;
  npx(...args: string[]): Promise<{ stdout: string; stderr: string }>;
  /** @param packages as for `npm install` */
  install(...packages: string[]): Promise<void>;
  /** Adds an example of `docs/testing.md`, as a CommonJS application writes it. */
  putExample(file: string, as: string): Promise<void>;
  /** Replaces a file by one of `test/package/generated-app`. */
  put(file: string, as?: string): Promise<void>;
}

/** What `nest new` writes, plus one asynchronous endpoint; without linters. */
export async function generateApp(folder: string, env: NodeJS.ProcessEnv, packages: string[]): Promise<GeneratedApp> {
  const cli = ['-y', '@nestjs/cli@11', 'new', 'app', '--package-manager=npm', '--skip-git', '--skip-install'];
  await run('npx', cli, { cwd: folder });
  const app = join(folder, 'app');
  const manifest = JSON.parse(await readFile(join(app, 'package.json'), 'utf8'));
  for (const name of Object.keys(manifest.devDependencies))
    if (UNUSED.test(name)) delete manifest.devDependencies[name];
  await writeFile(join(app, 'package.json'), JSON.stringify(manifest));
  await cp(ours, app, { recursive: true });

  const npm = (...args: string[]) => run('npm', args, { cwd: app, env: { ...process.env, ...env } });
  const generated: GeneratedApp = {
    folder: app,
    npm,
    npx: (...args) => run('npx', args, { cwd: app }),
    install: async (...names) => void (await npm('install', ...QUIET, ...names)),
    putExample: async (file, as) => {
      const code = await readFile(join(examples, file), 'utf8');
      await mkdir(dirname(join(app, as)), { recursive: true });
      await writeFile(join(app, as), code.replaceAll(".js'", "'"));
    },
    put: (file, as = file) => cp(join(ours, file), join(app, as)),
  };
  await generated.install(...packages);
  return generated;
}
