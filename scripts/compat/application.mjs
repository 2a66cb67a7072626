import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEMPLATES } from './matrix.mjs';
import { run } from './run.mjs';

const overlay = fileURLToPath(new URL('../../test/package/generated-app/', import.meta.url));
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
/** Neither building nor testing needs them. */
const UNUSED = /eslint|prettier|^oxlint|^globals$|^@nestjs\/mau$|^@vitest\/coverage|^ts-node$/;

/** An application as `nest new` writes it, with one asynchronous endpoint on Redis, installed from the packed package. */
export class Application {
  constructor(folder, installation) {
    this.folder = folder;
    this.installation = installation;
    this.template = TEMPLATES[installation.template];
  }

  async create(parent, name, { tarball, pnpm }) {
    const { template, manager, ioredis, builders } = this.installation;
    // `nest new` of 12 asks whether to set up observability; CLI 11 does not know the answer.
    const answers = template >= 12 ? ['--no-observe'] : [];
    const options = ['--package-manager', manager, '--skip-git', '--skip-install', ...answers];
    await run('npx', ['-y', `@nestjs/cli@${template}`, 'new', name, ...options], { cwd: parent });
    await this.#addEndpoint();
    const ofBuilders = builders.flatMap((builder) => this.template.builders[builder].packages);
    await this.#install(pnpm, [tarball, `ioredis@${ioredis}`, ...ofBuilders]);
  }

  /** Goes on with another version of ioredis, which is quicker than a new application. */
  async change(installation) {
    this.installation = installation;
    await run('npm', ['install', ...QUIET, `ioredis@${installation.ioredis}`], { cwd: this.folder });
  }

  async build(builder) {
    await run('npx', ['nest', 'build', ...this.template.builders[builder].args], { cwd: this.folder });
  }

  /** The two commands of the template: Jest or Vitest. On a busy machine, hooks may take longer than the default of 5 or 10 s. */
  async test(env) {
    const timeouts = this.template.tests === 'Jest' ? ['testTimeout'] : ['testTimeout', 'hookTimeout'];
    const options = ['--', ...timeouts.map((name) => `--${name}=60000`)];
    for (const script of ['test', 'test:e2e']) await run('npm', ['run', script, ...options], { cwd: this.folder, env });
  }

  async #addEndpoint() {
    const isEsm = this.template.modules === 'ESM';
    await cp(overlay, this.folder, {
      recursive: true,
      filter: (file) => !/plain\.cjs$|app\.module\.ts$|applications\.redis\.ts$|\/types(\/|$)/.test(file),
    });
    await cp(join(overlay, 'src/app.module.redis.ts'), join(this.folder, 'src/app.module.ts'));
    const files = (await readdir(this.folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
    for (const file of isEsm ? files : []) {
      const code = await readFile(join(this.folder, file), 'utf8');
      const adapted = code.replaceAll(/ from '(\.[^']*?)(\.js)?'/g, " from '$1.js'").replaceAll('jest.fn', 'vi.fn');
      await writeFile(join(this.folder, file), adapted);
    }
  }

  async #install(pnpm, packages) {
    const path = join(this.folder, 'package.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    const needed = Object.entries(manifest.devDependencies).filter(([name]) => !UNUSED.test(name));
    await writeFile(path, JSON.stringify({ ...manifest, devDependencies: Object.fromEntries(needed) }, null, 2));
    if (this.installation.manager === 'pnpm') {
      await run(pnpm, ['add', '--dir', this.folder, '--prefer-offline', ...packages], { cwd: this.folder });
    } else {
      await run('npm', ['install', ...QUIET, ...packages], { cwd: this.folder });
    }
  }
}
