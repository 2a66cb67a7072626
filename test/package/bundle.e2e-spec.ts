import { readFile } from 'node:fs/promises';
import { build, type Rolldown } from 'vite';

const dist = new URL('../../libs/async-endpoints/dist/', import.meta.url);

/** The files of the package that Node loads before the first line of the module that imports this one. */
async function loadedWith(file: URL, loaded = new Set<string>()): Promise<Set<string>> {
  if (loaded.has(file.href)) return loaded;
  loaded.add(file.href);
  const text = await readFile(file, 'utf8');
  const imported = [...text.matchAll(/^(?:import|export) .*"(\..*)";$/gm)].map(([, path]) => path as string);
  for (const path of imported) await loadedWith(new URL(path, file), loaded);
  return loaded;
}

describe('An application that imports the package', () => {
  it('loads few files, because Node takes half a millisecond for each', async () => {
    const loaded = await loadedWith(new URL('index.js', dist));
    expect(loaded).toContain(new URL('chunks/store.js', dist).href);
    expect(loaded.size).toBeLessThanOrEqual(15);
  });
});

describe('A page that imports the client', () => {
  it('downloads only the client and defineJob', async () => {
    const built = await build({
      configFile: false,
      logLevel: 'silent',
      build: { write: false, lib: { entry: `${dist.pathname}client/index.js`, formats: ['es'] } },
    });
    const [{ output }] = built as [Rolldown.RolldownOutput];
    const chunks = output.filter((part) => part.type === 'chunk');
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds.map((id) => id.replace(dist.pathname, '')));
    expect(modules.toSorted()).toEqual(['chunks/define-job.js', 'client/index.js']);
    expect(chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])).toEqual([]);
  });
});
