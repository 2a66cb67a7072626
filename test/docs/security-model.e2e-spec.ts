import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { titlesByFile } from './titles.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${ROOT}docs/security-model.md`, 'utf8');
const section = (title: string) => page.split(/^## /m).find((text) => text.startsWith(title)) ?? '';
const rowsOf = (text: string) =>
  [...text.matchAll(/^\| (.*) \|$/gm)]
    .slice(2)
    .map(([, cells]) => (cells as string).split('|').map((cell) => cell.trim()));

describe('docs/security-model.md', () => {
  const promises = rowsOf(section('Promises'));

  it('names an existing test for every promise', () => {
    const titles = titlesByFile(ROOT);
    expect(promises.length).toBeGreaterThan(15);
    const gone = promises.flatMap(([against, promise, tests = '']) => {
      const named = [...tests.matchAll(/`([^`]+)`(?: “([^”]+)”)?/g)];
      if (named.length === 0) return [[against, promise]];
      return named
        .filter(([, file, title = '']) => !titles.get(file as string)?.some((known) => known.includes(title)))
        .map(([test]) => [promise, test]);
    });
    expect(gone).toEqual([]);
  });

  it('has a promise against every actor', () => {
    const actors = rowsOf(section('Actors')).map(([actor]) => (actor as string).replace(' (to a client)', ''));
    const against = new Set(promises.map(([actor]) => actor));
    expect(actors.filter((actor) => !against.has(actor))).toEqual([]);
  });
});
