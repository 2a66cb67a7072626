import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import extractTypeScript from 'dependency-cruiser/config-utl/extract-ts-config';
import { temporaryFolder } from '../temporary-folder.js';

const REPOSITORY = new URL('../..', import.meta.url).pathname;
const SOURCE = 'libs/async-endpoints/src/';
const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: (IForbiddenRuleType & { name: string; to: { pathNot: string[] } })[];
};
const ARROWS = forbidden.filter(({ name }) => name.startsWith('arrows-of-') && name !== 'arrows-of-the-root');
const ROOMS = ARROWS.map(({ name }) => name.slice('arrows-of-'.length));

/** Whether a room may import from another, by the rules. */
function mayImport(room: string, other: string): boolean {
  const rule = ARROWS.find(({ name }) => name === `arrows-of-${room}`);
  return rule!.to.pathNot.some((path) => new RegExp(path).test(`${SOURCE}${other}/any.ts`));
}

it('docs/architecture.md lists each room with the rooms that it may import', async () => {
  const text = await readFile(join(REPOSITORY, 'docs/architecture.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([\w/]+)\/` +\|[^|]*\| (.*?) +\|$/gm)];
  const namesIn = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const listed = rows.map(([, room, others]) => [room, namesIn(others).toSorted()]);
  const ruled = ROOMS.map((room) => [
    room,
    ROOMS.filter((other) => other !== room && mayImport(room, other)).toSorted(),
  ]);
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(ruled));
});

describe('The imports between rooms', () => {
  let folder: string;
  let violations: string[];
  /** What was planted: the rule that must refuse it, and the file. */
  const planted: [rule: string, file: string][] = [];

  async function plant(rule: string, file: string, target: string): Promise<void> {
    const path = relative(join(SOURCE, file, '..'), join(SOURCE, target)).replace(/^(?!\.)/, './');
    const specifier = target.startsWith('@') ? target : path.replace(/[.]ts$/, '.js');
    await writeFile(
      join(folder, SOURCE, file),
      `import type * as forbidden from '${specifier}';\nexport type Planted = typeof forbidden;\n`,
    );
    planted.push([rule, SOURCE + file]);
  }

  beforeAll(async () => {
    folder = temporaryFolder();
    await cp(join(REPOSITORY, SOURCE), join(folder, SOURCE), { recursive: true });
    for (const file of ['tsconfig.json', 'package.json', '.dependency-cruiser.cjs']) {
      await cp(join(REPOSITORY, file), join(folder, file));
    }
    await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
    for (const room of ROOMS) {
      const other = ROOMS.find((one) => one !== room && !mayImport(room, one)) as string;
      const files = await readdir(join(folder, SOURCE, other));
      const target = files.find((file) => /^[a-z-]+[.]ts$/.test(file)) as string;
      await plant(`arrows-of-${room}`, `${room}/planted.ts`, `${other}/${target}`);
    }
    await plant('arrows-of-the-root', 'index.ts', 'stores/redis/redis-job-store.ts');
    await plant('no-file-without-a-room', 'planted.ts', 'job/job.ts');
    await plant('every-file-has-a-room', 'http/planted-too.ts', 'planted.ts');
    await plant('nest-internals-in-one-file', 'handlers/planted-too.ts', '@nestjs/common/constants.js');
    await plant('optional-packages-of-telemetry', 'worker/planted-too.ts', '@opentelemetry/api');
    await plant('client-is-free-of-frameworks', 'client/planted-too.ts', '@nestjs/common');
    violations = await violationsIn(
      folder,
      planted.map(([, file]) => file),
    );
  });

  it('are refused by the rules when a forbidden import is added to any room, the root or a new file', () => {
    expect(ROOMS.length).toBeGreaterThan(20);
    const missed = planted.filter(([rule, file]) => !violations.includes(`${rule} ${file}`));
    expect(missed).toEqual([]);
  });

  it('form no cycle and no pair of rooms that import each other', () => {
    const above = (room: string, seen: string[]): string[] =>
      ROOMS.filter((other) => other !== room && mayImport(room, other)).flatMap((other) =>
        seen.includes(other) ? [[...seen, other].join(' → ')] : above(other, [...seen, other]),
      );
    expect(ROOMS.flatMap((room) => above(room, [room]))).toEqual([]);
  });
});

async function violationsIn(folder: string, files: string[]): Promise<string[]> {
  const config = await extractConfig(join(folder, '.dependency-cruiser.cjs'));
  const options = { ...config.options, ruleSet: config, validate: true, baseDir: folder };
  const { output } = await cruise(files, options, undefined, {
    tsConfig: extractTypeScript(join(folder, 'tsconfig.json')),
  });
  return (output as ICruiseResult).summary.violations.map(({ rule, from }) => `${rule.name} ${from}`);
}
