// Copies only the files that the built applications and the command-line tool import to a folder, which becomes /app of the image.
// It also writes sbom.cdx.json, which lists each package (CycloneDX) and Node.
//
//   node deploy/docker/runtime-files.mjs <folder> [<compiled library>]
//
// The second folder is where the library was compiled to, unless that is libs/async-endpoints/dist. Modules that `npm run build` has
// joined are in the result twice, because the applications have them apart.
//
// @vercel/nft follows every import from the entry points. It cannot follow a name that is computed at run time, and it follows optional
// imports too, so this file lists the packages of both kinds. test/deployment/runtime-files.e2e-spec.ts runs the
// applications from the result.
import { nodeFileTrace } from '@vercel/nft';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');
const library = 'libs/async-endpoints';
const loadedByName = ['class-validator', 'class-transformer', '@fastify/static'];
/** Nest, `debug` and the library use them where they are installed; here they are for development and tests only. */
const notUsed = ['@nestjs/platform-express', '@nestjs/microservices', 'supports-color', 'better-sqlite3'];
/** They are imported as ES modules, and @vercel/nft takes their CommonJS twins too. */
const twins = [
  'node_modules/es-toolkit/**/*.js',
  'node_modules/js-yaml/dist/*.cjs.js',
  'node_modules/csv-parse/dist/cjs/**',
  'node_modules/croner/dist/*.cjs',
];
const servedByName = /^(favicon-.+\.png|index\.css|swagger-ui\.css|swagger-ui-(bundle|standalone-preset)\.js)$/;

const [target, compiled = `${library}/dist`] = process.argv.slice(2);
if (!target) throw new Error('Expected a folder: node deploy/docker/runtime-files.mjs <folder>');
/** Where a file is in the image. */
const placeOf = (file) => file.replace(`${compiled}/`, `${library}/dist/`);

const { bin } = JSON.parse(await readFile(join(root, library, 'package.json'), 'utf8'));
const { resolve } = createRequire(import.meta.url);
const { fileList } = await nodeFileTrace(
  [
    ...['dist/apps/api/src/main.js', 'dist/apps/worker/src/main.js'].map((entry) => join(root, entry)),
    join(root, compiled, relative('dist', bin['async-endpoints'])),
    ...loadedByName.map((name) => resolve(name)),
  ],
  { base: root, ignore: [...notUsed.map((name) => `node_modules/${name}/**`), ...twins] },
);
const swagger = 'node_modules/swagger-ui-dist';
const assets = (await readdir(join(root, swagger))).filter((file) => servedByName.test(file));
const files = new Set([...fileList, `${library}/package.json`, ...assets.map((file) => join(swagger, file))]);
for (const file of files) {
  const place = placeOf(file);
  await mkdir(dirname(join(target, place)), { recursive: true });
  const applications = await copyOfApplications(file);
  if (applications) await symlink(relative(dirname(place), applications), join(target, place));
  else await cp(join(root, file), join(target, place), { dereference: true });
}

/** The applications have the library built into them: what the tool shares with them is in the image once. */
async function copyOfApplications(file) {
  const copy = file.replace(`${compiled}/`, `dist/${library}/src/`);
  if (copy === file || !files.has(copy)) return null;
  const [own, theirs] = await Promise.all([file, copy].map((path) => readFile(join(root, path), 'utf8')));
  return own === theirs ? copy : null;
}

const manifests = [...files].filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file));
manifests.sort((one, other) => (one < other ? -1 : 1));
const components = [{ type: 'platform', name: 'node', version: process.versions.node }];
for (const file of manifests) {
  const { name, version, license } = JSON.parse(await readFile(join(root, file), 'utf8'));
  const licenses = typeof license === 'string' ? { licenses: [{ expression: license }] } : {};
  components.push({
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...licenses,
  });
}
const sbom = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components };
await writeFile(join(target, 'sbom.cdx.json'), JSON.stringify(sbom));
process.stdout.write(`${files.size} files, ${components.length} components\n`);
