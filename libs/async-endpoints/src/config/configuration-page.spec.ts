import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';
import { SEED_NAMES } from './seed-names.js';
import { GROUPS, type Setting, SETTINGS } from './settings.js';

const root = new URL('../../../../', import.meta.url);
const src = new URL('../', import.meta.url);
const read = (path: string, from = root) => readFileSync(new URL(path, from), 'utf8');

/** Where the options of a group are declared, and what the group is about. */
const DECLARED: Readonly<Record<string, readonly [file: string, declarations: string[], about: string]>> = {
  '': ['config/async-endpoints-settings.ts', ['MODULE'], 'The process'],
  redis: ['config/async-endpoints-settings.ts', ['REDIS'], 'Redis'],
  postgres: ['config/async-endpoints-settings.ts', ['POSTGRES'], 'PostgreSQL'],
  sqlite: ['config/async-endpoints-settings.ts', ['SQLITE'], 'SQLite'],
  worker: ['options/worker.ts', ['WORKER'], 'Workers'],
  jobs: ['options/jobs.ts', ['JOBS'], 'Jobs (`defineJob` can override most of them)'],
  'jobs.retention': ['options/jobs.ts', ['RETENTION'], 'Retention of terminal jobs'],
  recovery: ['options/worker.ts', ['RECOVERY'], 'Recovery of the jobs of dead workers'],
  context: ['options/context.ts', ['CONTEXT'], 'Values carried from request to handler'],
  http: ['options/http.ts', ['STATUS_ROUTES', 'HTTP'], 'HTTP'],
  response: ['options/response.ts', ['RESPONSE'], 'Hooks that change responses'],
};

/** Defaults that are another on every machine, or that no value says. */
const DEFAULTS: Readonly<Record<string, string>> = {
  store: 'see the meaning',
  'worker.workerId': 'host, process, random',
  'worker.maxConcurrency': 'processors',
  'http.version': 'neutral',
};

/** The meaning of each option: its doc comment without the default, which has a column of its own. */
function meanings(file: string, declarations: string[]): Map<string, string> {
  const source = ts.createSourceFile(file, read(file, src), ts.ScriptTarget.Latest, true);
  const members = source.statements
    .filter((node) => ts.isVariableStatement(node))
    .flatMap((node) => [...node.declarationList.declarations])
    .filter(({ name }) => declarations.includes(name.getText()))
    .flatMap(({ initializer }) => [...(initializer as ts.ObjectLiteralExpression).properties]);
  return new Map(
    members.map((member) => {
      const comment = ts.getTextOfJSDocComment(ts.getJSDocCommentsAndTags(member)[0]?.comment) ?? '';
      const text = comment.replaceAll(/\s+/g, ' ');
      const isRule = member.name?.getText() === 'store';
      return [member.name?.getText() ?? '', isRule ? text : text.replace(/\s*Default:? (.+?)(\.|$)(?= |$)/, '')];
    }),
  );
}

function defaultOf({ key, initial }: Setting): string {
  const value = DEFAULTS[key] ?? initial();
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  const text = Array.isArray(value) ? value.join(',') : (value as string | number | boolean);
  return key in DEFAULTS ? (value as string) : `\`${text}\``;
}

const UNITS: Readonly<Record<string, number>> = { minutes: 60_000, MiB: 2 ** 20 };

it('doc comments state the actual defaults', () => {
  const stated = Object.entries(DECLARED).flatMap(([group, [file]]) => {
    const comments = read(file, src).replaceAll(/\s*\n\s*(?:\* )?/g, ' ');
    return [...comments.matchAll(/Default ([\d,.]*\d)(?: (minutes|MiB))?\.[^/]*\*\/ (\w+): option/g)]
      .filter(([, , , name = '']) => Object.hasOwn(GROUPS[group] as object, name))
      .map(([, number = '', unit = '', name = '']) => [
        name,
        Number(number.replaceAll(',', '')) * (UNITS[unit] ?? 1),
        group,
      ]);
  });
  expect(stated.length).toBeGreaterThan(25);
  expect(stated).toEqual(
    stated.map(([name, , group]) => [name, GROUPS[group as string]?.[name as string]?.initial(), group]),
  );
});

function seedNamesOf({ key }: Setting): string {
  const names = [...SEED_NAMES.values()].filter(({ states }) => states.key === key);
  return names.map((name) => `\`${name.key}\``).join(', ');
}

function table(group: string): string {
  const [file, declarations, about] = DECLARED[group] as (typeof DECLARED)[string];
  const texts = meanings(file, declarations);
  const rows = Object.keys(GROUPS[group] as object).map((name) => {
    const setting = SETTINGS.get(group ? `${group}.${name}` : name) as Setting;
    const meaning = texts.get(name);
    if (!meaning) throw new Error(`${setting.key} has no doc comment`);
    const variable = setting.variable ? `\`${setting.variable}\`` : 'code only';
    const cells = [`\`${setting.key}\``, variable, defaultOf(setting), setting.expected, meaning, seedNamesOf(setting)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const head = '| option | variable | default | takes | meaning | names of the seed |\n| - | - | - | - | - | - |';
  return `### ${about}\n\n${head}\n${rows.join('\n')}`;
}

function page(): string {
  const code = (path: string) => `\`\`\`ts\n${read(path).trim()}\n\`\`\``;
  return read('docs/configuration.template.md')
    .replace('{{single-instance}}', code('test/config/presets/single-instance.ts'))
    .replace('{{multi-instance}}', code('test/config/presets/multi-instance.ts'))
    .replace('{{tables}}', Object.keys(GROUPS).map(table).join('\n\n'));
}

it('docs/configuration.md matches the definitions of the options (npm run docs writes it)', async () => {
  const path = fileURLToPath(new URL('docs/configuration.md', root));
  const formatted = await format(page(), { ...(await resolveConfig(path)), parser: 'markdown' });
  await expect(formatted).toMatchFileSnapshot(path);
});
