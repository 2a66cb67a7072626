import { build, type Rolldown } from 'vite';

const dist = new URL('../../libs/async-endpoints/dist/', import.meta.url).pathname;

describe('A page that imports the client', () => {
  it('downloads only the client and defineJob', async () => {
    const built = await build({
      configFile: false,
      logLevel: 'silent',
      build: { write: false, lib: { entry: `${dist}client/index.js`, formats: ['es'] } },
    });
    const [{ output }] = built as [Rolldown.RolldownOutput];
    const chunks = output.filter((part) => part.type === 'chunk');
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds.map((id) => id.replace(dist, '')));
    expect(modules).toContain('job/define-job.js');
    expect(modules.filter((id) => id !== 'job/define-job.js' && !/^client\/[\w-]+\.js$/.test(id))).toEqual([]);
    expect(chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])).toEqual([]);
  });
});
