/** Printable ASCII that does not begin as JSON text does. */
const PLAIN = /^[!#-~][ -~]*$/;

/**
 * Any text as a line of a record or the end of a key: as it is where it is plain, as nearly all are, else as JSON, which has
 * no line breaks, and writes what UTF-8 cannot hold.
 */
export function encodeText(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

/** What is no JSON is as it was written by a release that wrote all texts as they were. */
export function decodeText(line: string): string {
  if (!line.startsWith('"')) return line;
  try {
    return JSON.parse(line) as string;
  } catch {
    return line;
  }
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

/**
 * JSON as one line that is the same when it comes back: only JSON that somebody has laid out has line breaks, and there they
 * mean nothing. Redis keeps UTF-8, which cannot hold half a character.
 */
export function jsonLine(json: string): string {
  if (!json.includes('\n') && !json.includes('\x1e') && isWellFormed(json)) return json; // nearly all, and quickly
  const line = json.replaceAll('\n', ' ').replaceAll('\x1e', ' ');
  if (isWellFormed(line)) return line;
  return line.replaceAll(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed(); // of ES2024; every Node that we support has it
}
