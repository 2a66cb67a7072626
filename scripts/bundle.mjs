// Joins the compiled modules of the package into few files, because Node takes half a millisecond to load a file (decision 0215).
// The declarations stay as they are.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const library = fileURLToPath(new URL('../libs/async-endpoints/', import.meta.url));
const dist = join(library, 'dist/');

/** Every file that others name: the exports of the package, and the command-line tool. */
async function entries() {
  const { exports } = JSON.parse(await readFile(join(library, 'package.json'), 'utf8'));
  const files = Object.values(exports).flatMap(({ default: file }) => (file?.endsWith('.js') ? file : []));
  const names = files.map((file) => file.slice('./dist/'.length, -'.js'.length));
  return Object.fromEntries([...names, 'cli/main', 'cli/program'].map((name) => [name, join(dist, `${name}.js`)]));
}

/** Modules that most entries share; of these a page with the client loads `job/define-job` only. */
const STORE = /\/dist\/(?:job\/(?!define-job)|store\/(?!index)|events\/channels)/;

const { output } = await build({
  configFile: false,
  logLevel: 'warn',
  build: {
    ssr: true,
    write: false,
    minify: false,
    target: 'es2023',
    rolldownOptions: {
      input: await entries(),
      external: /^[^./]/,
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: ({ moduleIds }) =>
          `${moduleIds.every((id) => id.startsWith(`${dist}cli/`)) ? 'cli' : 'chunks'}/[name].js`,
        codeSplitting: { groups: [{ name: 'store', test: STORE }] },
        minifyInternalExports: false, // stack traces and debuggers show the code
        comments: { legal: true, annotation: true, jsdoc: false }, // the declarations have them
      },
    },
  },
});

const isCompiled = (file) => file.endsWith('.js') && !/^(?:cjs|dashboard\/page)\//.test(file);
for (const file of await readdir(dist, { recursive: true })) if (isCompiled(file)) await rm(join(dist, file));
for (const { fileName, code } of output) {
  await mkdir(dirname(join(dist, fileName)), { recursive: true });
  await writeFile(join(dist, fileName), code);
}
