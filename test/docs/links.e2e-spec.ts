import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CODE = /^(```|~~~)[\s\S]*?^\1|<!--[\s\S]*?-->|`[^`\n]*`/gm;

const read = (path: string) => readFile(join(ROOT, path), 'utf8');

/** The documents of the repository, those that are not committed yet among them. */
async function documents(): Promise<string[]> {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  const { stdout } = await promisify(execFile)('git', args, { cwd: ROOT });
  return stdout.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

/** As GitHub makes them of headings; a second of the same text would get a number, which nobody should link to. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.matchAll(/^#{1,6} +(.+)$/gm)].map(([, text]) => text as string);
  return headings.map((text) =>
    text
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

/** What is wrong with the relative links of a document. */
async function brokenLinks(document: string): Promise<string[]> {
  const text = (await read(document)).replace(CODE, '');
  const broken: string[] = [];
  for (const [, link] of text.matchAll(/\]\(\s*<?([^)\s>]+)/g)) {
    if (/^[a-z][a-z+.-]*:/i.test(link as string)) continue;
    const [path = '', anchor] = (link as string).split('#');
    const target = path === '' ? document : relative(ROOT, join(ROOT, dirname(document), decodeURI(path)));
    if (!existsSync(join(ROOT, target))) broken.push(`${document}: ${link} is not there`);
    else if (anchor && target.endsWith('.md') && !anchorsOf(await read(target)).includes(anchor)) {
      broken.push(`${document}: ${link} has no such heading`);
    }
  }
  return broken;
}

describe('The documents', () => {
  it('link only to existing files and headings', async () => {
    const all = await documents();
    expect(all).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'docs/http.md']));
    expect((await Promise.all(all.map(brokenLinks))).flat()).toEqual([]);
  });

  it('are all listed in docs/README.md', async () => {
    const index = await read('docs/README.md');
    const guides = (await documents()).filter(
      (path) => /^docs\/[^/]+\.md$/.test(path) && !/template|README/.test(path),
    );
    const tasks = ['deploy-docker', 'deploy-kubernetes', 'configuration', 'observability', 'scale', 'operations'];
    expect(guides).toEqual(expect.arrayContaining(tasks.map((name) => `docs/${name}.md`)));
    expect(guides.filter((path) => !index.includes(`](${path.slice('docs/'.length)})`))).toEqual([]);
  });
});
