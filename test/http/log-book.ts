import type { LoggerService } from '@nestjs/common';

/** Collects the log of an application. */
export class LogBook implements LoggerService {
  readonly #lines: string[] = [];

  /** Everything logged so far. */
  get text(): string {
    return this.#lines.join('\n');
  }

  log(...parts: unknown[]): void {
    this.#write('LOG', parts);
  }

  warn(...parts: unknown[]): void {
    this.#write('WARN', parts);
  }

  error(...parts: unknown[]): void {
    this.#write('ERROR', parts);
  }

  fatal(...parts: unknown[]): void {
    this.#write('FATAL', parts);
  }

  #write(level: string, parts: unknown[]): void {
    this.#lines.push([level, ...parts.map((part) => (part instanceof Error ? part.stack : String(part)))].join(' '));
  }
}
