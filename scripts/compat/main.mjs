// npm run compat [-- --short] [--template 11|12]: installs the packed package into applications that the Nest CLI generates, builds
// them in every way, and runs a request through each under every Node.js version. Prints the table, and writes it into
// docs/compatibility.md, except with --short.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Application } from './application.mjs';
import { installations } from './matrix.mjs';
import { installNodes } from './node-versions.mjs';
import { freePort, request } from './request.mjs';
import { run } from './run.mjs';
import { columns, table, writeTable } from './table.mjs';

const { values } = parseArgs({ options: { short: { type: 'boolean' }, template: { type: 'string' } } });
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'async-endpoints-compat-'));
const redisPort = await freePort();
const redis = spawn('redis-server', ['--port', String(redisPort), '--save', '', '--dir', folder], { stdio: 'ignore' });
const redisUrl = `redis://127.0.0.1:${redisPort}`;

try {
  const failed = await compare(installations(values));
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  redis.kill();
  await rm(folder, { recursive: true, force: true });
}

async function compare(all) {
  const tarball = await pack();
  const nodes = await installNodes(folder, columns(all));
  const pnpm = all.some(({ manager }) => manager === 'pnpm') ? await installPnpm() : undefined;
  const rows = [];
  const applications = new Map();
  for (const installation of all) {
    rows.push(...(await examine(installation, applications, { tarball, pnpm, nodes })));
  }
  console.log(table(rows, nodes));
  if (!values.short) {
    const document = join(root, 'docs/compatibility.md');
    await writeTable(document, rows, nodes);
    await run('npx', ['prettier', '--write', document], { cwd: root });
  }
  return rows.flatMap(({ cells }) => [...cells.values()]).filter((cell) => cell !== 'yes').length;
}

/** @returns one row for each way of building the application, and one for its tests */
async function examine(installation, applications, { tarball, pnpm, nodes }) {
  const name = `app-${installation.template}-${installation.manager}`;
  const existing = applications.get(name);
  const application = existing ?? new Application(join(folder, name), installation);
  applications.set(name, application);
  const created = await attempt(`install ${describe(installation)}`, () =>
    existing ? existing.change(installation) : application.create(folder, name, { tarball, pnpm }),
  );
  const rows = [];
  for (const builder of installation.builders) {
    const built =
      created === 'yes' ? await attempt(`build with ${builder}`, () => application.build(builder)) : created;
    const cells = await eachNode(installation, (version) => {
      if (built !== 'yes') return built;
      return attempt(`${builder}, Node.js ${version}`, () => request(application.folder, nodes.get(version), redisUrl));
    });
    rows.push({ installation, what: builder, cells });
  }
  if (installation.runTests) {
    const cells = await eachNode(installation, (version) => {
      const env = { PATH: `${nodes.get(version).bin}:${process.env.PATH}`, REDIS_URL: redisUrl };
      return attempt(`tests, Node.js ${version}`, () => application.test(env));
    });
    rows.push({ installation, what: application.template.tests, cells });
  }
  return rows;
}

async function eachNode({ nodes }, check) {
  const cells = new Map();
  for (const version of nodes) cells.set(version, await check(version));
  return cells;
}

/** @returns `yes`, or `no` after what went wrong was printed */
async function attempt(what, work) {
  const startedAt = Date.now();
  try {
    await work();
    console.log(`  ${what}: yes (${Math.round((Date.now() - startedAt) / 1_000)} s)`);
    return 'yes';
  } catch (error) {
    console.log(`  ${what}: no\n${error.message}`);
    return 'no';
  }
}

function describe({ template, manager, ioredis }) {
  return `CLI ${template} with ${manager} and ioredis ${ioredis}`;
}

async function pack() {
  await run('npm', ['run', 'build'], { cwd: root });
  const packed = await run('npm', ['pack', join(root, 'libs/async-endpoints'), '--json', '--pack-destination', folder]);
  return join(folder, JSON.parse(packed)[0].filename);
}

async function installPnpm() {
  const prefix = join(folder, 'pnpm');
  await mkdir(prefix);
  await run('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', 'pnpm@10']);
  return join(prefix, 'node_modules/.bin/pnpm');
}
