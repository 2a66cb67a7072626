import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { isObject } from '../options/rules.js';
import { GROUPS, type Setting, SETTINGS } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a source states of an option: under which key, what, and how a person finds it. */
export interface Statement {
  readonly key: string;
  readonly value: unknown;
  /** What stands in the source: the key, or the name of a variable. */
  readonly name: string;
}

/** Where statements come from. Of two sources the later one holds. */
export interface Source {
  readonly where: string;
  readonly statements: readonly Statement[];
  /** What is wrong with the source itself, in words. */
  readonly mistakes: readonly string[];
}

const SECTION = 'asyncEndpoints';
/** What Kubernetes tells every process of a Service whose name begins with `async-`. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const BY_VARIABLE = new Map([...SETTINGS.values()].map((setting) => [setting.variable, setting]));

/** What code states: a tree of options. */
export function fromCode(where: string, tree: object = {}): Source {
  return { where, ...flatten(tree, where) };
}

/** What a JSON file states in its section `asyncEndpoints`; the rest of the file is the application's. */
export function fromFile(path: string): Source {
  const statesNothing = (mistake: string) => ({ where: path, statements: [], mistakes: [`${path} ${mistake}`] });
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
    if (!isObject(content)) return statesNothing('holds no object');
    const section = Object.entries(content).find(([name]) => lowerFirst(name) === SECTION)?.[1] as unknown;
    if (section === undefined) return statesNothing(`has no section ${JSON.stringify(SECTION)}`);
    if (!isObject(section)) return statesNothing(`has a section ${JSON.stringify(SECTION)} that is no object`);
    return fromCode(path, section);
  } catch (error) {
    // Without the words of the parser, which quotes: the variable may name a file of secrets by mistake.
    const { code } = error as NodeJS.ErrnoException;
    return statesNothing(error instanceof SyntaxError ? 'is no JSON' : `cannot be read (${code})`);
  }
}

/** What the variables of `.env` files say. The first file that has a variable holds. */
export function readEnvFiles(paths: readonly string[]): Record<string, string> {
  const files = paths.filter((path) => existsSync(path)).map((path) => parseEnv(readFileSync(path, 'utf8')));
  return Object.assign({}, ...files.toReversed()) as Record<string, string>;
}

/** Whether it states an option. */
export function isVariable(name: string): boolean {
  return BY_VARIABLE.has(name) || BY_VARIABLE.get(name.replace(/_FILE$/, ''))?.isSecret === true;
}

/** @param isOther tells which variables that begin with `ASYNC_` are not ours */
export function fromVariables(
  where: string,
  env: Environment,
  cwd: string,
  isOther: (name: string) => boolean,
): Source {
  const statements: Statement[] = [];
  const mistakes: string[] = [];
  for (const [name, said] of Object.entries(env)) {
    const setting = BY_VARIABLE.get(name.replace(/_FILE$/, ''));
    // An empty variable is how compose files and manifests say nothing.
    if (!said?.trim() || isOther(name)) continue;
    if (setting?.variable === name) statements.push({ key: setting.key, value: valueOf(setting, said), name });
    else if (setting?.isSecret) readSecret(setting, said);
    else if (name.startsWith('ASYNC_') && !SERVICE_LINK.test(name)) statements.push({ key: name, value: said, name });
  }
  return { where, statements, mistakes };

  /** As secrets are mounted: the variable names a file. Only its first line counts: others are for a password's rotation. */
  function readSecret(setting: Setting, path: string): void {
    const name = `${setting.variable}_FILE`;
    if (env[setting.variable as string]) mistakes.push(`${name} in ${where} is there beside ${setting.variable}`);
    try {
      const [line = ''] = readFileSync(resolve(cwd, path), 'utf8').trim().split('\n', 1);
      statements.push({ key: setting.key, value: line.trimEnd(), name });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      mistakes.push(`${name} in ${where} names ${path}, which cannot be read (${code})`);
    }
  }
}

const valueOf = ({ read }: Setting, said: string): unknown => (read as (said: string) => unknown)(said.trim());

/** Names as the reference system writes them, with a capital letter, are taken as ours. */
function flatten(tree: object, where: string): Pick<Source, 'statements' | 'mistakes'> {
  const found = new Map<string, Statement>();
  const mistakes: string[] = [];
  const visit = (node: object, path: string, spelled: string): void => {
    for (const [name, value] of Object.entries(node) as [string, unknown][]) {
      const key = path + lowerFirst(name);
      if (value === undefined) continue;
      if (!SETTINGS.has(key) && isPlain(value)) visit(value, `${key}.`, `${spelled}${name}.`);
      else if (Object.hasOwn(GROUPS, key)) mistakes.push(`${spelled}${name} in ${where} is no object`);
      else if (found.has(key)) mistakes.push(`${spelled}${name} in ${where} is there twice`);
      else found.set(key, { key, value, name: spelled + name });
    }
  };
  visit(tree, '', '');
  return { statements: [...found.values()], mistakes };
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function isPlain(value: unknown): value is object {
  return isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
}
