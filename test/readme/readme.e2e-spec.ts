import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { ERROR_CODES, JOB_STATUSES } from 'nestjs-async-endpoints';
import { LIFECYCLE } from 'nestjs-async-endpoints/store';
import { eventually } from 'nestjs-async-endpoints/testing';
import { AppModule } from './app.js';
import { clientOf, process } from './client.js';

const root = new URL('../../', import.meta.url);

function read(path: string): Promise<string> {
  return readFile(new URL(path, root), 'utf8');
}

/** Prettier indents nothing in Markdown code blocks, and ends files with a line break. */
function blocks(markdown: string): string[] {
  return [...markdown.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string);
}

/** The cells of all tables. */
function rowsOf(markdown: string): string[][] {
  return [...markdown.matchAll(/^\| (.*) \|$/gm)].map(([, cells]) =>
    (cells as string).split('|').map((cell) => cell.trim()),
  );
}

describe('The README', () => {
  it.each([
    ['README.md', 'app'],
    ['docs/client.md', 'jobs'],
    ['docs/client.md', 'client'],
  ])('and its guides show the exact code that this test runs: %s that of %s.ts', async (document, file) => {
    expect(blocks(await read(document))).toContain(await read(`test/readme/${file}.ts`));
  });

  it('shows excerpts of the client that its guide shows whole', async () => {
    const code = await read('test/readme/client.ts');
    expect(blocks(await read('README.md'))).toContain(code.slice(code.indexOf('export async function process')));
  });

  it('states only figures of the benchmark', async () => {
    const [readme, bench] = await Promise.all([read('README.md'), read('bench/README.md')]);
    const claimed = rowsOf(readme).filter(([, ours]) => /^\d/.test(ours ?? ''));
    const measured = rowsOf(bench).map(([, , ours, peer, ratio]) => [ours, peer, ratio].join());
    expect(claimed.length).toBeGreaterThan(3);
    expect(claimed.filter(([, ...cells]) => !measured.includes(cells.slice(0, 3).join()))).toEqual([]);
  });

  it('and bench/README.md show the figures of bench/results.json (npm run docs writes them)', async () => {
    const check = fileURLToPath(new URL('bench/src/write-readme.mjs', root));
    await promisify(execFile)(execPath, [check, '--check']);
  });

  it('shows an application that works', async () => {
    const app = await NestFactory.create(AppModule, { logger: ['error'] });
    try {
      await app.listen(0);
      const url = await app.getUrl();
      const submitted = await fetch(`${url}/api/process-data`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ data: 'text' }),
      });
      expect(submitted.status).toBe(202);
      const monitor = url + (submitted.headers.get('location') as string);
      const done = await eventually(async () => {
        const response = await fetch(monitor);
        return response.status === 200 ? ((await response.json()) as { result: unknown }) : null;
      });
      expect(done?.result).toEqual({ processedData: 'Processed: TEXT' });
    } finally {
      await app.close();
    }
  });

  it('shows a client that works', async () => {
    const app = await NestFactory.create(AppModule, { logger: ['error'] });
    try {
      await app.listen(0);
      const client = clientOf(await app.getUrl(), async () => 'a token');
      const shown: number[] = [];
      expect(await process(client, 'text', (fraction) => shown.push(fraction))).toBe('Processed: TEXT');
      expect(shown.at(-1)).toBe(0.5);
    } finally {
      await app.close();
    }
  });

  it('names only existing commands', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    const named = [
      ...(await read('README.md')).matchAll(/npm (?:run )?(start:\w+|start|test|dev|check|build|bench)\b/g),
    ];
    for (const [, name] of named) expect(scripts).toHaveProperty(name as string);
    expect(named.length).toBeGreaterThan(1);
  });
});

describe('The documents', () => {
  it('list exactly the existing error codes with their meaning', async () => {
    const rows = [...(await read('docs/errors.md')).matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|/gm)];
    expect(Object.fromEntries(rows.map(([, code, meaning]) => [code, meaning]))).toEqual(ERROR_CODES);
  });

  it('show the lifecycle that the code enforces', async () => {
    const drawn = [...(await read('docs/lifecycle.md')).matchAll(/^ {2}(\S+) --> (\S+): (\S+)$/gm)];
    const arrows = Object.entries(LIFECYCLE).flatMap(([verb, { from, to }]) =>
      (from.length ? from : ['[*]']).flatMap((start) =>
        (to.length ? to : ['[*]']).map((end) => `${start} ${end} ${verb}`),
      ),
    );
    expect(drawn.map(([, from, to, verb]) => `${from} ${to} ${verb}`).toSorted()).toEqual(arrows.toSorted());
    for (const status of JOB_STATUSES) expect(await read('docs/lifecycle.md')).toContain(`\`${status}\``);
  });
});
