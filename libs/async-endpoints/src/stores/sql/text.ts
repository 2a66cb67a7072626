/*
 * Databases keep UTF-8, which cannot hold half a character (a lone surrogate), and PostgreSQL no U+0000. Texts of clients may
 * have some.
 */

/** Any text as it is stored: as it is, as nearly all are, else as JSON, which writes them in ASCII. */
export function encodeText(text: string): string {
  return isStorable(text) && !text.startsWith('"') ? text : JSON.stringify(text);
}

export function decodeText(stored: string): string {
  return stored.startsWith('"') ? (JSON.parse(stored) as string) : stored;
}

export function encodeNullable(text: string | null): string | null {
  return text === null ? null : encodeText(text);
}

export function decodeNullable(stored: string | null): string | null {
  return stored === null ? null : decodeText(stored);
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** JSON that means the same. */
export function encodeJson(json: string): string {
  if (isStorable(json)) return json;
  return json.replaceAll(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

function isStorable(text: string): boolean {
  const isUnicode = (text as string & { isWellFormed(): boolean }).isWellFormed(); // of ES2024; every Node that we support has it
  return isUnicode && !text.includes('\0');
}
