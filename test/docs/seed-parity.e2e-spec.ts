import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { titlesByFile } from './titles.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROWS = [...numbered('S', 102).filter((id) => id !== 'S-76'), 'S-76a', 'S-76b', 'S-76c', 'S-76d', 'S-76e'];
const DEFECTS = [...numbered('D', 58), 'D-4b'];

const page = readFileSync(`${ROOT}docs/seed-parity.md`, 'utf8');
const titles = titlesByFile(ROOT);
const rows = [...page.matchAll(/^\| (S-\w+) +\|(.*)\|$/gm)].map(([, id, rest]) => {
  const cells = (rest as string).split(/(?<!\\)\|/).map((cell) => cell.trim());
  return { id: id as string, cells, files: cells[2] as string, tests: cells[3] as string };
});

function numbered(letter: string, last: number): string[] {
  return Array.from({ length: last }, (_, index) => `${letter}-${index + 1}`);
}

describe('docs/seed-parity.md', () => {
  it('has every row of the seed once, with all its columns', () => {
    expect(rows.map(({ id }) => id).toSorted((a, b) => a.localeCompare(b))).toEqual(
      ROWS.toSorted((a, b) => a.localeCompare(b)),
    );
    expect(rows.filter(({ cells }) => cells.length !== 4 || cells.includes('')).map(({ id }) => id)).toEqual([]);
  });

  it('names only existing files, at least one for each row that is not planned', () => {
    const named = rows.flatMap(({ id, files, tests }) =>
      [...`${files} ${tests}`.matchAll(/`([^`]+)`/g)].map(([, path]) => ({ id, path: path as string })),
    );
    expect(named.filter(({ path }) => !existsSync(ROOT + path))).toEqual([]);
    const bare = rows.filter(({ files, tests }) => !files.includes('`') || !tests.includes('`'));
    expect(bare.filter(({ cells }) => !cells[1]?.includes('**not yet**'))).toEqual([]);
  });

  it('names only existing tests, by file or title', () => {
    const named = rows.flatMap(({ id, tests }) =>
      [...tests.matchAll(/`([^`]+)`(?: “([^”]+)”)?/g)].map(([, file, title = '']) => ({
        id,
        file: file as string,
        title,
      })),
    );
    const gone = named.filter(({ file, title }) => !titles.get(file)?.some((known) => known.includes(title)));
    expect(gone).toEqual([]);
  });

  it('describes the broken artefacts of the reference system and their replacements', () => {
    const broken = ['S-42', 'S-54', 'S-58', 'S-60', 'S-64', 'S-82', 'S-86', 'S-90', 'S-92'];
    const said = rows.filter(({ id }) => broken.includes(id));
    expect(said).toHaveLength(broken.length);
    expect(said.filter(({ cells }) => /^(\*\*not yet\*\*: )?the same/.test(cells[1] as string))).toEqual([]);
  });
});

describe('The tests', () => {
  it('of each defect of the reference system are in the index, with existing titles', () => {
    const path = `${ROOT}test/docs/reference-index.json`;
    const index = JSON.parse(readFileSync(path, 'utf8')) as Record<string, { file: string; title: string }[]>;
    expect(DEFECTS.filter((id) => !index[id]?.length)).toEqual([]);
    const named = Object.values(index).flat();
    expect(named.filter(({ file, title }) => !titles.get(file)?.includes(title))).toEqual([]);
  });

  it('mock no module, and CI runs all of them', () => {
    const sources = [...titles.keys()].map((file) => [file, readFileSync(ROOT + file, 'utf8')] as const);
    expect(sources.filter(([, text]) => /\b(vi|jest)\.(mock|doMock)\(/.test(text)).map(([file]) => file)).toEqual([]);
    const servers = sources.filter(([, text]) => /\bstartRedis(Server|Cluster|Sentinel)\(|System\.start\(/.test(text));
    expect(servers.length).toBeGreaterThan(15);
    expect(readFileSync(`${ROOT}.ci/run`, 'utf8')).toContain('npm test');
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: { test: string } };
    expect(scripts.test).toMatch(/vitest run$/);
  });
});
