import { randomUUID } from 'node:crypto';

/** Begins the text that stands for a number that JavaScript would write differently. Nobody outside can know it. */
const MARK = `${randomUUID()}:`;
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;

/** The value of this JSON, with a marked text for each number that JavaScript would write differently. */
export function withExactNumbers<T>(json: string, value: T): T {
  const marked = json.replaceAll(TOKENS, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"${MARK}${token}"`,
  );
  return marked === json ? value : (JSON.parse(marked) as T);
}

/** The marked text when it stands for this number, otherwise the value. */
export function exactOf(value: unknown, exact: unknown): unknown {
  const isMarked = typeof value === 'number' && typeof exact === 'string' && exact.startsWith(MARK);
  return isMarked && Number(exact.slice(MARK.length)) === value ? exact : value;
}

/** JSON with the numbers that marked texts stand for, as they were stored. */
export function encodeExact(value: unknown): string {
  const json = JSON.stringify(value);
  if (!json.includes(MARK)) return json;
  return json.replaceAll(TOKENS, (token) => (token.startsWith(`"${MARK}`) ? token.slice(MARK.length + 1, -1) : token));
}
