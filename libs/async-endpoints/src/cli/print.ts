/** A cell; `null` is empty. */
export type Cell = string | number | null;

/** Prints a table. Numbers are aligned to the right. */
export function printTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const lines = [
    columns,
    ...rows.map((row) => row.map((cell) => escaped(String(cell ?? '-')).replaceAll('\n', '\\n'))),
  ];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] as string).length)));
  const isNumber = columns.map((_, at) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number'));
  const pad = (text: string, at: number) =>
    isNumber[at] ? text.padStart(widths[at] as number) : text.padEnd(widths[at] as number);
  print(lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n'));
}

/** Whether the stream goes to a log of JSON lines, such as that of a Kubernetes Job. */
export function isLogged(stream: NodeJS.WriteStream = process.stdout): boolean {
  return process.env['LOG_FORMAT']?.trim() === 'json' && !stream.isTTY;
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, isLogged() ? 0 : 2));
}

export function print(text: string): void {
  process.stdout.write(`${escaped(text)}\n`);
}

/** A time with seconds, without milliseconds. */
export function time(ms: number | null): string | null {
  return ms === null ? null : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? '' : 's'}`;
}

/**
 * Escapes control characters and characters that change the direction of text, such as `\u001b`, so that no text of a job
 * controls the terminal. The escape is valid within JSON. Line breaks stay.
 */
export function escaped(text: string): string {
  return text.replaceAll(/[^\P{C}\n]|[\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
