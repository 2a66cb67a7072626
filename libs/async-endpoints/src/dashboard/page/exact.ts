/** Begins the text that stands for a number that JavaScript would write differently. No value of a job can know it. */
const MARK = `${Math.random()}:`;
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;

/** Decodes JSON; numbers that JavaScript would round stay as they are written. */
export function decode<T>(json: string): T {
  const marked = json.replace(TOKENS, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"${MARK}${token}"`,
  );
  return JSON.parse(marked) as T;
}

/** The number that the text stands for; null for an ordinary text. */
export function exactNumber(text: string): string | null {
  return text.startsWith(MARK) ? text.slice(MARK.length) : null;
}

/** JSON of a decoded value. */
export function encode(value: unknown): string {
  const json = JSON.stringify(value) ?? '';
  return json.replace(TOKENS, (token) => (token.startsWith(`"${MARK}`) ? token.slice(MARK.length + 1, -1) : token));
}
