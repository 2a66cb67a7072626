import type { Cluster, Redis } from 'ioredis';

export type RedisClient = Redis | Cluster;

export type Argument = string | number;

export interface Script<TReply> {
  readonly name: string;
  readonly lua: string;
  /** Runs the script by its hash. ioredis sends the text when the server does not have it. */
  run(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<TReply>;
}

/**
 * Defines a script whose scalar arguments have names: `args: ['now', 'limit']` declares the locals `now` and `limit`, and
 * `FIRST`, the index in `ARGV` of the first argument after them. Lists of any length follow. Their keys come after the shared
 * ones.
 */
export function defineScript<TReply>(definition: {
  readonly name: string;
  readonly args: readonly string[];
  readonly lua: string;
}): Script<TReply> {
  const { name, args } = definition;
  const bound = args.map((arg, index) => `local ${arg} = ARGV[${index + 1}]`);
  const lua = [...bound, `local FIRST = ${args.length + 1}`, definition.lua].join('\n');
  const command = `asyncEndpoints_${name}`;
  return {
    name,
    lua,
    run(client, keys, values) {
      const defined = client as unknown as Record<string, (...all: Argument[]) => Promise<TReply>>;
      if (!defined[command]) client.defineCommand(command, { lua: withoutUnused(lua) });
      return (defined[command] as (...all: Argument[]) => Promise<TReply>)(keys.length, ...keys, ...values);
    },
  };
}

/** A function of the outermost block: on one line, or to the first `end` at the beginning of a line. */
const FUNCTION = /^local function (\w+)\(.*?(?: end$|\n(?:.*\n)*?end$)/gm;
const WORD = /\w+/g;

/**
 * The script without the functions that it does not call: Redis would create each of them in every call. A function can only be
 * called after its definition, so this looks from the last function to the first.
 */
function withoutUnused(lua: string): string {
  const kept: string[] = [];
  const words = new Set<string>();
  const keep = (text: string) => {
    kept.unshift(text);
    for (const [word] of text.matchAll(WORD)) words.add(word);
  };
  let end = lua.length;
  for (const { 0: text, 1: name, index } of [...lua.matchAll(FUNCTION)].toReversed()) {
    keep(lua.slice(index + text.length, end));
    if (words.has(name as string)) keep(text);
    end = index;
  }
  keep(lua.slice(0, end));
  return kept.join('');
}

/** Whether the arguments caused the error: a script failed with them, or they could not be sent (an error of JavaScript). */
export function isFaultOfArguments(cause: unknown): boolean {
  if (cause instanceof TypeError || cause instanceof RangeError) return true;
  return cause instanceof Error && /user_script:\s?\d+: (?!@?user_script)[a-z]/.test(cause.message);
}
