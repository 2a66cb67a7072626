/** A cell; `null` for nothing. */
export type Cell = string | number | null;

/** Columns as wide as their widest cell; numbers to the right. */
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

/** Whether what is written there goes to a log of JSON lines, as that of a Job in Kubernetes does. */
export function isLogged(stream: NodeJS.WriteStream = process.stdout): boolean {
  return process.env['LOG_FORMAT']?.trim() === 'json' && !stream.isTTY;
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, isLogged() ? 0 : 2));
}

export function print(text: string): void {
  process.stdout.write(`${escaped(text)}\n`);
}

/** To the second. */
export function time(ms: number | null): string | null {
  return ms === null ? null : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? '' : 's'}`;
}

/**
 * Nothing of what a job holds is a command to a terminal: what controls it, or the direction of text, is shown as `\u001b`, which
 * means the same within JSON. Line breaks stay.
 */
export function escaped(text: string): string {
  return text.replaceAll(/[^\P{C}\n]|[\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
