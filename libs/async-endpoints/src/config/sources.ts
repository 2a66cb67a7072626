import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { isObject } from '../options/rules.js';
import { GROUPS, type Setting, SETTINGS } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value of an option in a source. */
export interface Statement {
  readonly key: string;
  readonly value: unknown;
  /** The name in the source: the key, or the name of a variable. */
  readonly name: string;
}

/** A source of values. Later sources override earlier ones. */
export interface Source {
  readonly where: string;
  readonly statements: readonly Statement[];
  /** The mistakes in the source itself. */
  readonly mistakes: readonly string[];
}

const SECTION = 'asyncEndpoints';
/** Variables that Kubernetes sets for a Service whose name begins with `async-`. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const BY_VARIABLE = new Map([...SETTINGS.values()].map((setting) => [setting.variable, setting]));

/** The values in code: a tree of options. */
export function fromCode(where: string, tree: object = {}): Source {
  return { where, ...flatten(tree, where) };
}

/** The values in the section `asyncEndpoints` of a JSON file. The rest of the file belongs to the application. */
export function fromFile(path: string): Source {
  const statesNothing = (mistake: string) => ({ where: path, statements: [], mistakes: [`${path} ${mistake}`] });
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
    if (!isObject(content)) return statesNothing('holds no object');
    const section = Object.entries(content).find(([name]) => lowerFirst(name) === SECTION)?.[1] as unknown;
    if (section === undefined) return statesNothing(`has no section ${JSON.stringify(SECTION)}`);
    if (!isObject(section)) return statesNothing(`has a section ${JSON.stringify(SECTION)} that is not an object`);
    return fromCode(path, section);
  } catch (error) {
    // Leave out the message of the parser, which quotes the file: the variable may name a file of secrets by mistake.
    const { code } = error as NodeJS.ErrnoException;
    return statesNothing(error instanceof SyntaxError ? 'is no JSON' : `cannot be read (${code})`);
  }
}

/** The variables in `.env` files. The first file with a variable counts. */
export function readEnvFiles(paths: readonly string[]): Record<string, string> {
  const files = paths.filter((path) => existsSync(path)).map((path) => parseEnv(readFileSync(path, 'utf8')));
  return Object.assign({}, ...files.toReversed()) as Record<string, string>;
}

/** Whether the variable sets an option. */
export function isVariable(name: string): boolean {
  return BY_VARIABLE.has(name) || BY_VARIABLE.get(name.replace(/_FILE$/, ''))?.isSecret === true;
}

/** @param isOther returns true for variables that begin with `ASYNC_` and belong to the application */
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
    // An empty variable counts as not set, as in compose files and manifests.
    if (!said?.trim() || isOther(name)) continue;
    if (setting?.variable === name) statements.push({ key: setting.key, value: valueOf(setting, said), name });
    else if (setting?.isSecret) readSecret(setting, said);
    else if (name.startsWith('ASYNC_') && !SERVICE_LINK.test(name)) statements.push({ key: name, value: said, name });
  }
  return { where, statements, mistakes };

  /** Reads a mounted secret: the variable names a file. Only the first line counts; others are for the rotation of a password. */
  function readSecret(setting: Setting, path: string): void {
    const name = `${setting.variable}_FILE`;
    if (env[setting.variable as string]) mistakes.push(`${name} in ${where} is set together with ${setting.variable}`);
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

/** Flattens a tree of options. Accepts names with a capital letter, as the reference system writes them. */
function flatten(tree: object, where: string): Pick<Source, 'statements' | 'mistakes'> {
  const found = new Map<string, Statement>();
  const mistakes: string[] = [];
  const visit = (node: object, path: string, spelled: string): void => {
    for (const [name, value] of Object.entries(node) as [string, unknown][]) {
      const key = path + lowerFirst(name);
      if (value === undefined) continue;
      if (!SETTINGS.has(key) && isPlain(value)) visit(value, `${key}.`, `${spelled}${name}.`);
      else if (Object.hasOwn(GROUPS, key)) mistakes.push(`${spelled}${name} in ${where} is not an object`);
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
