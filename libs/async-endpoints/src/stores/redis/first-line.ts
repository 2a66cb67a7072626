/** The offset of the numbers in the first line. */
export const NUMBERS_AT = 17;

/** As in `record.lua.ts`. */
const LONGEST_FIRST_LINE = 200;

/**
 * Whether the lines are a record of format 1 with a known status, with the number and length of lines that the first line states.
 */
export function isWhole(line: readonly string[], after: number): boolean {
  const first = line[0] as string;
  if (!/^1[QRSPCFX]/.test(first) || first.length > LONGEST_FIRST_LINE) return false;
  if (!(line.length >= after + 4)) return false;
  const bytes = Number.parseInt(first.slice(11, NUMBERS_AT), 16);
  let length = 0;
  for (let n = 1; n < after; n++) length += (line[n] as string).length + 1;
  return length === bytes || Buffer.byteLength(line.slice(1, after).join('\n')) + 1 === bytes;
}

/** Reads integers from a text, one after the other. Much faster than splitting the text. */
export class Numbers {
  constructor(
    private readonly text: string,
    private at: number,
  ) {}

  /** The next number up to its separator; null when the field is empty. */
  next(): number | null {
    let [value, sign] = [0, 1];
    const from = this.at;
    for (;;) {
      const code = this.text.charCodeAt(this.at++);
      if (code >= 48 && code <= 57) value = value * 10 + code - 48;
      else if (code === 45) sign = -1;
      else return this.at - from > 1 ? sign * value : null;
    }
  }
}
