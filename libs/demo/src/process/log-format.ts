export type Environment = Readonly<Record<string, string | undefined>>;

const FORMATS = ['json', 'text'] as const;

/**
 * `LOG_FORMAT`: json, a line each, with job and trace; or text, the default on a terminal.
 *
 * @throws RangeError with one line that names the variable, its value and the expected values
 */
export function logFormat(env: Environment, isTerminal = process.stdout.isTTY): (typeof FORMATS)[number] {
  return choice(env, 'LOG_FORMAT', FORMATS) ?? (isTerminal ? 'text' : 'json');
}

/** @throws RangeError as {@link logFormat} */
export function choice<T extends string>(env: Environment, name: string, choices: readonly T[]): T | undefined {
  const text = env[name]?.trim();
  if (!text) return undefined;
  const chosen = choices.find((known) => known === text);
  if (chosen !== undefined) return chosen;
  throw new RangeError(`${name} is ${JSON.stringify(text)}; expected ${choices.join(' or ')}.`);
}

/** An invalid format is one of the possible errors: then write text. */
export function isJson(): boolean {
  try {
    return logFormat(process.env) === 'json';
  } catch {
    return false;
  }
}
