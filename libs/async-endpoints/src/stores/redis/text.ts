/** Printable ASCII that does not begin with a quotation mark, as JSON strings do. */
const PLAIN = /^[!#-~][ -~]*$/;

/**
 * The form of any text in a line of a record or at the end of a key: the text itself when it is plain, otherwise a JSON string,
 * which has no line breaks and escapes what UTF-8 cannot express.
 */
export function encodeText(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

/** Text that is not JSON was written by a release that did not encode texts. */
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
 * JSON as one line. Line breaks between the tokens of formatted JSON are removed. Lone surrogates are escaped, because Redis
 * stores UTF-8.
 */
export function jsonLine(json: string): string {
  if (!json.includes('\n') && !json.includes('\x1e') && isWellFormed(json)) return json; // the fast path of nearly all texts
  const line = json.replaceAll('\n', ' ').replaceAll('\x1e', ' ');
  if (isWellFormed(line)) return line;
  return line.replaceAll(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed(); // ES2024; every supported Node version has it
}
