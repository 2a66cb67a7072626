/*
 * SQLite keeps UTF-8, which cannot hold half a character (a lone surrogate), and texts of clients may have some.
 */

/** Any text as it is stored: as it is, as nearly all are, else as JSON, which writes what UTF-8 cannot hold. */
export function encodeText(text: string): string {
  return isWellFormed(text) && !text.startsWith('"') ? text : JSON.stringify(text);
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
  if (isWellFormed(json)) return json;
  return json.replaceAll(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed(); // of ES2024; every Node that we support has it
}
