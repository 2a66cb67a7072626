import type { Logger } from '@nestjs/common';
import { describeThrown, propertyOf, textPropertyOf } from '../job/thrown.js';

const REASON_LIMIT = 1_000;
const TEXT_LIMIT = 8_000;
const MOST_CAUSES = 5;

/** What nestjs-pino takes for a stack; other loggers are not stricter. */
const FRAME = /\n[ \t]*at /;

/**
 * Logs an error as one entry. Of the arguments of `Logger.error`, loggers agree on a text and a stack only: an error as an
 * argument is dropped by some, and written as an entry of its own by others.
 *
 * @param what went wrong, such as `GET /jobs failed`; the messages of the error and of its causes follow it
 */
export function logError(logger: Logger, what: string, thrown: unknown): void {
  const text = textOf(thrown);
  if (FRAME.test(text)) logger.error(printable(`${what}: ${reasonOf(thrown)}`), text);
  else logger.error(`${printable(what)}: ${text}`);
}

/** The stack of an error and of each of its causes, of bounded length: for levels that take no stack beside the message. */
export function textOf(thrown: unknown): string {
  const chain = chainOf(thrown);
  const texts = chain.map((error) => cut(stackOf(error), TEXT_LIMIT / chain.length));
  return printable(texts.join('\n[cause]: '));
}

/** The messages of an error and of what caused it, the deepest last, on one line of bounded length. */
export function reasonOf(thrown: unknown): string {
  const chain = chainOf(thrown);
  const messages = chain.map((error) => cut(firstLineOf(error), REASON_LIMIT / chain.length));
  return printable([...new Set(messages)].join(': ').replaceAll('.: ', ': '));
}

function chainOf(thrown: unknown): unknown[] {
  const chain = [thrown];
  while (chain.length < MOST_CAUSES) {
    const cause = propertyOf(chain.at(-1), 'cause');
    if (cause === undefined || cause === null || chain.includes(cause)) break;
    chain.push(cause);
  }
  return chain;
}

function stackOf(error: unknown): string {
  return textPropertyOf(error, 'stack') ?? describeThrown(error);
}

function firstLineOf(error: unknown): string {
  const text = textPropertyOf(error, 'message') || describeThrown(error);
  return text.split('\n', 1)[0] as string;
}

/** In the middle, so that the end of a stack stays, however long the message is. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit / 2)} … ${text.slice(-limit / 2)}`;
}

/** Line breaks and tabs are what a log may have; escape sequences and marks that turn the direction of text are not. */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text for a terminal, in which characters that would move its cursor, color it or reorder it are written as `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A name or another value within a line of the log, which a line break in it would end. */
export function onOneLine(value: string): string {
  return printable(value).replaceAll('\n', '\\n');
}
