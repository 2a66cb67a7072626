import type { Cluster, Redis } from 'ioredis';

export type RedisClient = Redis | Cluster;

export type Argument = string | number;

export interface Script<TReply> {
  readonly name: string;
  readonly lua: string;
  /** Runs by hash; ioredis sends the text where the server does not know it. */
  run(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<TReply>;
}

/**
 * A script whose scalar arguments have names: `args: ['now', 'limit']` makes `now` and `limit` locals, and `FIRST` the
 * index in `ARGV` of what follows them. Lists of any length follow; their keys come after the shared ones.
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
      if (!defined[command]) client.defineCommand(command, { lua });
      return (defined[command] as (...all: Argument[]) => Promise<TReply>)(keys.length, ...keys, ...values);
    },
  };
}

/** A script that could not work with its arguments, or arguments that cannot be sent: JavaScript's own errors are such. */
export function isFaultOfArguments(cause: unknown): boolean {
  if (cause instanceof TypeError || cause instanceof RangeError) return true;
  return cause instanceof Error && /user_script:\s?\d+: (?!@?user_script)[a-z]/.test(cause.message);
}
