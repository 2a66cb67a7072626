// Writes the package a second time, as CommonJS, for tools that cannot `require()` an ES module, such as Jest on Node 20 and 22.
// Node itself always loads the ES modules: see docs/decisions/0075-commonjs-for-tools.md.
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const dist = fileURLToPath(new URL('../libs/async-endpoints/dist/', import.meta.url));
const target = join(dist, 'cjs');
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, esModuleInterop: true };

await rm(target, { recursive: true, force: true });
const isForNodeOnly = (file) => file.startsWith('cli/');
const isForBrowsers = (file) => file.startsWith('dashboard/page/');
/** CommonJS has no `import.meta`. */
const withUrl = (source) => source.replaceAll('import.meta.url', "require('node:url').pathToFileURL(__filename).href");
const files = (await readdir(dist, { recursive: true })).filter((file) => !isForNodeOnly(file));
await mkdir(target);
// The nearest package.json decides how Node and TypeScript read the files.
await writeFile(join(target, 'package.json'), '{ "type": "commonjs", "sideEffects": false }\n');
for (const file of files.filter((name) => /\.(js|d\.ts|css|svg)$/.test(name))) {
  await mkdir(dirname(join(target, file)), { recursive: true });
  if (file.endsWith('.d.ts') || isForBrowsers(file)) {
    await cp(join(dist, file), join(target, file));
  } else {
    const source = await readFile(join(dist, file), 'utf8');
    await writeFile(
      join(target, file),
      ts.transpileModule(withUrl(source), { compilerOptions, fileName: file }).outputText,
    );
  }
}
