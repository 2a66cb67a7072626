/** A command in a document, and what it says that the command writes. */
export interface Step {
  readonly line: number;
  readonly command: string;
  readonly expected: string;
}

const CONSOLE = /^```console\n([\s\S]*?)^```$/gm;
/** What is different each time: ids, entity tags and times. */
const VARIABLE = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|"\d{13}-\d+-\d{13}"|\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** The commands of all console blocks: each begins with `$ `, and goes on behind a backslash at the end of a line. */
export function stepsOf(markdown: string): Step[] {
  return [...markdown.matchAll(CONSOLE)].flatMap((block) => {
    const start = markdown.slice(0, block.index).split('\n').length + 1;
    return [...(block[1] as string).matchAll(/^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)/gm)].map((step) => ({
      line: start + (block[1] as string).slice(0, step.index).split('\n').length - 1,
      command: step[1] as string,
      expected: (step[2] as string).trim(),
    }));
  });
}

/** The ids, entity tags and times of a document, and what they are in this run. */
export class Transcript {
  readonly #real = new Map<string, string>();

  /** The command, about what there is now. */
  commandOf({ command }: Step): string {
    return command.replaceAll(VARIABLE, (token) => this.#real.get(token) ?? this.#learn(token, token));
  }

  /**
   * Whether this was written, word for word but for what is different each time: what was seen before must be the same
   * again. `…` stands for anything within a line, or as a line of its own for any lines.
   */
  isWritten({ expected }: Step, actual: string): boolean {
    const news: string[] = [];
    const pattern = `${expected}\n`.split(VARIABLE).map(toPattern);
    const tokens = expected.match(VARIABLE) ?? [];
    const source = pattern.map((text, at) => text + this.#patternOf(tokens[at], news)).join('');
    const match = new RegExp(`^${source}$`).exec(`${actual.replaceAll('\r\n', '\n').trim()}\n`);
    news.forEach((token, at) => match && this.#learn(token, match[at + 1] as string));
    return match !== null;
  }

  #patternOf(token: string | undefined, news: string[]): string {
    if (token === undefined) return '';
    const real = this.#real.get(token);
    if (real !== undefined) return escaped(real);
    if (news.includes(token)) return `\\${news.indexOf(token) + 1}`;
    news.push(token);
    return `(${VARIABLE.source})`;
  }

  #learn(token: string, real: string): string {
    // Times may happen to be the same in a document, and differ in a run.
    if (!token.endsWith('Z')) this.#real.set(token, real);
    return real;
  }
}

function toPattern(text: string): string {
  return escaped(text).replaceAll(/^…\n/gm, '(?:.*\\n)*?').replaceAll('…', '.*?');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
