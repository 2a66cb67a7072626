// Compiles the page of the dashboard to ES modules of its own, and copies into it the two packages that it uses. The argument is
// the folder to write: by default that of the package, and that of the applications for the demo.
import { spawnSync } from 'node:child_process';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const source = join(root, 'libs/async-endpoints/src/dashboard/page');
const target = resolvePath(root, process.argv[2] ?? 'libs/async-endpoints/dist/dashboard/page');
const { resolve } = createRequire(import.meta.url);
const of = (name) => join(root, 'node_modules', name);

/** What the page imports by name, and the file that it becomes. */
const PACKAGES = {
  'preact/hooks': [join(of('preact'), 'hooks/dist/hooks.mjs'), 'preact-hooks.js'],
  preact: [join(of('preact'), 'dist/preact.mjs'), 'preact.js'],
  htm: [join(of('htm'), 'dist/htm.mjs'), 'htm.js'],
};

const { status } = spawnSync(process.execPath, [resolve('typescript/bin/tsc'), '-p', source, '--outDir', target], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);
const LICENSE = { preact: '/* preact, MIT, (c) Jason Miller */\n', htm: '/* htm, Apache-2.0, (c) Google Inc. */\n' };
for (const [name, [file, copy]] of Object.entries(PACKAGES)) {
  const text = (await readFile(file, 'utf8')).replace(/\/\/# sourceMappingURL=\S+/, '');
  await writeFile(join(target, copy), LICENSE[name.split('/')[0]] + text);
}
for (const file of ['style.css', 'icon.svg']) await cp(join(source, file), join(target, file));
for (const file of (await readdir(target)).filter((name) => name.endsWith('.js'))) {
  const text = await readFile(join(target, file), 'utf8');
  const relative = text.replace(/\bfrom ?(["'])(preact\/hooks|preact|htm)\1/g, (_, quote, name) => {
    return `from ${quote}./${PACKAGES[name][1]}${quote}`;
  });
  await writeFile(join(target, file), relative);
}
