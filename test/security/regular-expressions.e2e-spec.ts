import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { temporaryFolder } from '../temporary-folder.js';
import { type FoundRegExp, regExpsOf, worstCasesOf } from './worst-case.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LENGTH = 100_000;
/** A linear expression takes some milliseconds for such a text, a quadratic one ten seconds and more. */
const LIMIT_MS = 3_000;

const files = ['libs/async-endpoints/src', 'libs/demo/src', 'apps'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .map((path) => `${folder}/${path}`),
);
const found = files.map((file) => ({ file, ...regExpsOf(file, readFileSync(join(ROOT, file), 'utf8')) }));
const literals = found.flatMap((one) => one.literals.map((literal) => ({ file: one.file, ...literal })));

/** Searches and replaces, from every position of the text; throws where that takes too long. */
function exhaust({ source, flags }: FoundRegExp, text: string, timeout = LIMIT_MS): void {
  const script = new Script('text.replace(new RegExp(source, flags), ""); new RegExp(source, flags).test(text)');
  script.runInNewContext({ text, source, flags }, { timeout });
}

describe('Every regular expression is linear', () => {
  it.each(literals)('$file: /$source/$flags', (literal) => {
    for (const text of worstCasesOf(literal, LENGTH)) exhaust(literal, text);
  });

  it('and a literal, so that the linter sees it', () => {
    expect(literals.length).toBeGreaterThan(40);
    expect(found.filter(({ isDynamic }) => isDynamic).map(({ file }) => file)).toEqual([]);
  });

  it('and the worst cases reveal a quadratic expression', () => {
    const quadratic = { source: String.raw`^[+-]?(?:\d+\.?\d*|\.\d+)$`, flags: '' };
    const attempt = () => worstCasesOf(quadratic, LENGTH).forEach((text) => exhaust(quadratic, text, 500));
    expect(attempt).toThrow(/timed out/);
  });

  it('and the linter refuses one that is not linear', () => {
    const file = join(temporaryFolder(), 'quadratic.ts');
    writeFileSync(file, 'export const quadratic = /^a*a*$/;\n');
    const lint = () =>
      execFileSync('node_modules/.bin/oxlint', ['-c', '.oxlintrc.json', file], { cwd: ROOT, encoding: 'utf8' });
    expect(lint).toThrow();
    rmSync(file);
  });
});
