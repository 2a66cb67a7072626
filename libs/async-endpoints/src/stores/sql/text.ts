/*
 * Databases store UTF-8, which has no lone surrogates, and PostgreSQL does not accept U+0000. Texts of clients may contain both.
 */

/**
 * The stored form of any text: the text itself when it can be stored, otherwise a JSON string, which escapes those characters.
 */
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

/** Equivalent JSON that can be stored. */
export function encodeJson(json: string): string {
  if (isStorable(json)) return json;
  return json.replaceAll(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

function isStorable(text: string): boolean {
  const isUnicode = (text as string & { isWellFormed(): boolean }).isWellFormed(); // ES2024; every supported Node version has it
  return isUnicode && !text.includes('\0');
}
