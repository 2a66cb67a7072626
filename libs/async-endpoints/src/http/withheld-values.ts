import { Logger } from '@nestjs/common';
import { type DeclaredValues, type Withheld, withheldMessage } from './declared-values.js';

/** Names are chosen by clients: no more than so many of one endpoint are written to the log, and none that is strange. */
const MOST_NAMES = 10;
const ORDINARY_NAME = /^[\w.[\]-]{1,64}$/;

/** Tells the author of an endpoint, once, of each value that requests have and the handler does not get. */
export class WithheldValues {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #told = new Map<string, Set<string>>();

  tell({ where }: DeclaredValues, { option, name }: Withheld): void {
    const told = this.#told.get(where) ?? new Set();
    if (told.size >= MOST_NAMES || told.has(name) || !ORDINARY_NAME.test(name)) return;
    this.#told.set(where, told.add(name));
    this.#logger.warn(withheldMessage(where, { option, name }));
  }
}
